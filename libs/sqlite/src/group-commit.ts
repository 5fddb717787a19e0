import type { DatabaseSync } from 'node:sqlite';
import { createBatcher, systemClock, type Settled } from '@posthorn/runtime';
import { fromSqliteError } from './sqlite-error.ts';

/**
 * Group commit: what all callers write within one turn of the event loop is one transaction, so one fsync.
 * A job sees the writes of those before it; its promise settles after the commit, never before. A job that throws is
 * undone alone. When the commit itself fails (a full disk), every job of the group fails and nothing of it was written.
 */
export interface GroupCommit {
  /** Runs `job` inside the next transaction. `job` must be synchronous and may run any number of statements. */
  write<T>(job: () => T): Promise<T>;
  /** The same for a job of exactly one statement, which SQLite undoes by itself when it fails: cheaper. */
  writeStatement<T>(job: () => T): Promise<T>;
  /** Resolves when everything that was submitted before is settled. */
  drain(): Promise<void>;
}

/** Jobs in one transaction: a bound on how long one turn of the loop can take. */
const maxJobs = 256;
const tellEveryMs = 60_000;

interface Job {
  readonly run: () => unknown;
  readonly savepoint: boolean;
}

/** @param onFailure told that something could not be written because the disk is full or fails, at most once a minute */
export function createGroupCommit(db: DatabaseSync, onFailure: (error: unknown) => void): GroupCommit {
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');
  const savepoint = db.prepare('SAVEPOINT job');
  const release = db.prepare('RELEASE job');

  let toldAt = -Infinity;
  function tell(error: unknown): void {
    const now = systemClock.monotonic();
    if (now - toldAt < tellEveryMs) return;
    toldAt = now;
    onFailure(error);
  }

  function runJob({ run, savepoint: guarded }: Job): Settled<unknown> {
    if (!guarded) {
      try {
        return { ok: true, value: run() };
      } catch (error) {
        return { ok: false, error: fromSqliteError(error) };
      }
    }
    savepoint.run();
    try {
      const value = run();
      release.run();
      return { ok: true, value };
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK TO job; RELEASE job');
      return { ok: false, error: fromSqliteError(error) };
    }
  }

  function runGroup(jobs: readonly Job[]): readonly Settled<unknown>[] {
    try {
      begin.run();
      const results = jobs.map((job) => {
        const result = runJob(job);
        // SQLite gives the whole transaction up on some errors (a full disk among them).
        if (!db.isTransaction)
          throw result.ok ? new Error('the transaction was ended by a job') : result.error;
        return result;
      });
      commit.run();
      return results;
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      const failure = fromSqliteError(error);
      tell(failure);
      throw failure;
    }
  }

  const batcher = createBatcher<Job, unknown>({
    maxItems: maxJobs,
    run: runGroup,
  });

  return {
    write: <T>(run: () => T) => batcher.submit({ run, savepoint: true }) as Promise<T>,
    writeStatement: <T>(run: () => T) => batcher.submit({ run, savepoint: false }) as Promise<T>,
    drain: () => batcher.drain(),
  };
}
