import { DatabaseSync } from 'node:sqlite';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DomainError } from '@posthorn/models';
import { createGroupCommit, type GroupCommit } from './group-commit.ts';
import { migrate, type Migrations } from './migrations.ts';
import type { SqliteRow, Statement } from './statement.ts';
import { fromSqliteError, sqliteErrorCode } from './sqlite-error.ts';

/**
 * One SQLite file with one writing process: WAL, `synchronous=FULL`, held exclusively from open to close, so that a
 * second process is refused at once and a killed one leaves nothing behind that has to be cleaned up.
 * Reads run at once on the caller's turn; writes are committed in groups.
 */
export interface SqliteDatabase extends GroupCommit {
  /** Prepares a statement; keep it. For reads anywhere, for writes only inside a write job. */
  prepare<Row = SqliteRow>(sql: string): Statement<Row>;
  /**
   * Moves everything from the write-ahead log into the file and empties the log: then what was deleted or overwritten before is in neither,
   * because both overwrite what they free. `unavailable` when something keeps the log in use.
   */
  checkpoint(): Promise<void>;
  /** Commits what is waiting, checkpoints and closes. */
  close(): Promise<void>;
}

export interface SqliteOptions {
  readonly path: string;
  readonly migrations: readonly Migrations[];
  /** Told, at most once a minute, that the disk is full or fails; whoever writes is refused each time. */
  readonly onFailure?: (error: unknown) => void;
}

const wholeSetup = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA foreign_keys = ON;
  PRAGMA secure_delete = ON;
  PRAGMA temp_store = MEMORY;
  PRAGMA cache_size = -49152;
  PRAGMA wal_autocheckpoint = 2000;
`;

/**
 * Opens the file, makes it when it isn't there and brings its tables up to date.
 * Errors: `failed_precondition` when another process holds the file or a newer version wrote it, `unavailable` when the disk says no.
 */
export function openSqlite({ path, migrations, onFailure = () => undefined }: SqliteOptions): SqliteDatabase {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // Payloads are nobody else's business on this machine; SQLite gives its other files the same mode.
  closeSync(openSync(path, 'a', 0o600));
  const ownerFile = `${path}.owner`;
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { timeout: 0 });
    db.exec(wholeSetup);
    // The lock is taken by the first write transaction and, in exclusive mode, kept.
    db.exec('BEGIN EXCLUSIVE; COMMIT');
    writeFileSync(ownerFile, `${process.pid}\n`);
    migrate(db, migrations);
  } catch (error) {
    db?.close();
    throw isLocked(error) ? inUse(path, ownerFile, error) : fromSqliteError(error);
  }
  const open = db;
  const groups = createGroupCommit(open, onFailure);
  return {
    ...groups,
    // eslint-disable-next-line no-restricted-syntax -- a row's shape is the word of whoever wrote the SQL
    prepare: <Row>(sql: string) => open.prepare(sql) as unknown as Statement<Row>,
    async checkpoint() {
      await groups.drain();
      const result = open.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
      if (result?.['busy'] !== 0) throw new DomainError('unavailable', 'The write-ahead log is in use.');
    },
    async close() {
      await groups.drain();
      open.close();
      rmSync(ownerFile, { force: true });
    },
  };
}

function isLocked(error: unknown): boolean {
  const code = sqliteErrorCode(error);
  return code !== undefined && [5, 6].includes(code & 0xff);
}

function inUse(path: string, ownerFile: string, cause: unknown): DomainError {
  const pid = existsSync(ownerFile) ? readFileSync(ownerFile, 'utf8').trim() : '';
  const who = pid === '' ? 'Another process' : `Another Posthorn process (pid ${pid})`;
  return new DomainError(
    'failed_precondition',
    `${who} is using ${path}. Stop it first, or give this one a directory of its own with POSTHORN_DATA_DIR.`,
    { cause },
  );
}
