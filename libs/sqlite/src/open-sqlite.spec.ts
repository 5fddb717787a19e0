import { fork, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DomainError } from '@posthorn/models';
import { openSqlite, type SqliteDatabase } from './open-sqlite.ts';
import type { Migrations } from './migrations.ts';

const numbers: Migrations = {
  owner: 'numbers',
  steps: ['CREATE TABLE numbers (n INTEGER PRIMARY KEY) STRICT'],
};

let directory: string;
let path: string;
const opened: SqliteDatabase[] = [];

function open(
  migrations: readonly Migrations[] = [numbers],
  onFailure?: (error: unknown) => void,
): SqliteDatabase {
  const database = openSqlite({ path, migrations, ...(onFailure && { onFailure }) });
  opened.push(database);
  return database;
}

async function close(database: SqliteDatabase): Promise<void> {
  opened.splice(opened.indexOf(database), 1);
  await database.close();
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'posthorn-sqlite-'));
  path = join(directory, 'data', 'posthorn.db');
});
afterEach(async () => {
  for (const database of [...opened]) await close(database);
  rmSync(directory, { recursive: true, force: true });
});

function insert(database: SqliteDatabase, n: number): Promise<unknown> {
  const statement = database.prepare('INSERT INTO numbers (n) VALUES (?)');
  return database.write(() => statement.run(n));
}

function all(database: SqliteDatabase): unknown[] {
  return database
    .prepare('SELECT n FROM numbers ORDER BY n')
    .all()
    .map((row) => row['n']);
}

describe('openSqlite', () => {
  it('makes the directory and the tables, and keeps what was written', async () => {
    const first = open();
    await insert(first, 7);
    await close(first);
    expect(all(open())).toEqual([7]);
  });

  it('refuses a second process on the same file, says who has it and what to do, and leaves the first one working', async () => {
    const first = open();
    const script = `
      const { DatabaseSync } = require('node:sqlite');
      try { const db = new DatabaseSync(${JSON.stringify(path)}); db.exec('BEGIN IMMEDIATE'); console.log('taken'); }
      catch (error) { console.log(error.message); }`;
    const other = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    expect(other.stdout).toContain('locked');

    let refusal: unknown;
    try {
      openSqlite({ path, migrations: [numbers] });
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toMatchObject({ code: 'failed_precondition' });
    expect((refusal as DomainError).message).toContain(`pid ${process.pid}`);
    expect((refusal as DomainError).message).toContain('POSTHORN_DATA_DIR');
    await insert(first, 1);
    expect(all(first)).toEqual([1]);
  });

  it('can be opened at once after its owner was killed', async () => {
    const script = `
      const { DatabaseSync } = require('node:sqlite');
      const { mkdirSync } = require('node:fs');
      mkdirSync(${JSON.stringify(join(directory, 'data'))}, { recursive: true });
      const db = new DatabaseSync(${JSON.stringify(path)});
      db.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; BEGIN EXCLUSIVE; COMMIT');
      process.send('ready'); setInterval(() => {}, 1000);`;
    const child = fork('-e', [script], { execPath: process.execPath, execArgv: ['-e', script] });
    await new Promise((resolve) => child.once('message', resolve));
    expect(() => open()).toThrow('is using');
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    await insert(open(), 3);
  });

  it('runs only the steps that are new, and refuses a file of a newer version', async () => {
    const first = open();
    await insert(first, 1);
    await close(first);
    const newer: Migrations = {
      owner: 'numbers',
      steps: [...numbers.steps, "ALTER TABLE numbers ADD COLUMN name TEXT NOT NULL DEFAULT 'one'"],
    };
    const second = open([newer]);
    expect(second.prepare('SELECT n, name FROM numbers').get()).toMatchObject({ n: 1, name: 'one' });
    await close(second);
    expect(() => open()).toThrow('written by a newer version');
  });

  it('is readable by its owner only, every file of it', async () => {
    const database = open();
    await insert(database, 1);
    for (const name of ['posthorn.db', 'posthorn.db-wal']) {
      expect(statSync(join(directory, 'data', name)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(join(directory, 'data')).mode & 0o777).toBe(0o700);
  });

  it('leaves no owner file behind when it is closed', async () => {
    const database = open();
    expect(existsSync(`${path}.owner`)).toBe(true);
    await close(database);
    expect(existsSync(`${path}.owner`)).toBe(false);
  });
});

describe('group commit', () => {
  it('commits what one turn of the loop writes as one transaction, in order', async () => {
    const database = open();
    const seen: number[] = [];
    const count = database.prepare('SELECT count(*) AS n FROM numbers');
    const statement = database.prepare('INSERT INTO numbers (n) VALUES (?)');
    await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        database.write(() => {
          statement.run(n);
          seen.push(Number(count.get()?.['n']));
        }),
      ),
    );
    expect(seen).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
    expect(all(database)).toHaveLength(100);
  });

  it('undoes a job that fails, alone and whole', async () => {
    const database = open();
    const statement = database.prepare('INSERT INTO numbers (n) VALUES (?)');
    const results = await Promise.allSettled([
      insert(database, 1),
      database.write(() => {
        statement.run(2);
        throw new Error('changed my mind');
      }),
      database.write(() => {
        statement.run(3);
        statement.run(1);
      }),
      database.writeStatement(() => statement.run(1)),
      insert(database, 4),
    ]);
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'rejected',
      'fulfilled',
    ]);
    expect(all(database)).toEqual([1, 4]);
  });

  it('fails every job of a group whose disk is full with unavailable, writes nothing of it, and tells it once, and works again when there is room', async () => {
    const told: unknown[] = [];
    const database = open([numbers], (error) => told.push(error));
    const pages = Number(database.prepare('PRAGMA page_count').get()?.['page_count']);
    database.prepare(`PRAGMA max_page_count = ${pages + 2}`).get();
    const statement = database.prepare('INSERT INTO numbers (n) VALUES (?)');
    const results = await Promise.allSettled([
      insert(database, -1),
      ...Array.from({ length: 200 }, (_, part) =>
        database.write(() => {
          for (let n = 0; n < 100; n += 1) statement.run(part * 100 + n);
        }),
      ),
    ]);
    const failed = results.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
    expect(failed.length).toBeGreaterThan(0);
    for (const { reason } of failed)
      expect(reason).toMatchObject({ code: 'unavailable', message: 'The disk is full.' });
    expect(told).toEqual([expect.objectContaining({ code: 'unavailable' })]);
    const written = results.filter(({ status }) => status === 'fulfilled').length;
    expect(all(database).length).toBeLessThanOrEqual(written * 100);

    database.prepare('PRAGMA max_page_count = 1000000').get();
    await insert(database, 1_000_000);
    expect(all(database)).toContain(1_000_000);
  });
});
