import type { DatabaseSync } from 'node:sqlite';
import { DomainError } from '@posthorn/models';

/** The tables of one owner. `steps` only ever grows: step n brings schema version n to n + 1. */
export interface Migrations {
  /** Whose tables these are: `config`, `dispatcher`, … */
  readonly owner: string;
  readonly steps: readonly string[];
}

/**
 * Brings every owner's tables up to the newest version, each step in a transaction of its own.
 * A file that was written by a newer Posthorn is refused (`failed_precondition`) and left as it is.
 */
export function migrate(db: DatabaseSync, owners: readonly Migrations[]): void {
  db.exec(
    'CREATE TABLE IF NOT EXISTS schema_versions (owner TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID',
  );
  const read = db.prepare('SELECT version FROM schema_versions WHERE owner = ?');
  const write = db.prepare(
    'INSERT INTO schema_versions (owner, version) VALUES (?, ?) ON CONFLICT (owner) DO UPDATE SET version = excluded.version',
  );
  for (const { owner, steps } of owners) {
    const version = Number(read.get(owner)?.['version'] ?? 0);
    if (version > steps.length) {
      throw new DomainError(
        'failed_precondition',
        `The database was written by a newer version of Posthorn (${owner} schema ${version}, this one knows ${steps.length}). Run that version, or restore a backup.`,
      );
    }
    for (const [index, step] of steps.entries()) {
      if (index < version) continue;
      db.exec('BEGIN IMMEDIATE');
      try {
        db.exec(step);
        write.run(owner, index + 1);
        db.exec('COMMIT');
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK');
        throw error;
      }
    }
  }
}
