import { jobStates } from '@posthorn/models';
import type { Migrations, SqliteDatabase } from '@posthorn/sqlite';
import { Conditions } from '../deliveries/delivery-lists.sqlite.ts';
import { named } from '../deliveries/delivery-rows.sqlite.ts';
import { jobKinds, type Job, type JobCounts, type JobStore } from './job-store.ts';
import { endOfIds, scanPage, walkIndex } from '../deliveries/scan-pages.sqlite.ts';

/** The table of jobs. Enumerations are stored as their place in the list (which only grows), times as milliseconds. */
export const jobMigrations: Migrations = {
  owner: 'jobs',
  steps: [
    `CREATE TABLE jobs (
       id TEXT PRIMARY KEY,
       organisation_id TEXT NOT NULL,
       kind INTEGER NOT NULL,
       spec TEXT NOT NULL,
       state INTEGER NOT NULL,
       counts TEXT NOT NULL,
       cursor TEXT NOT NULL,
       created_by TEXT NOT NULL,
       created_at INTEGER NOT NULL,
       started_at INTEGER,
       finished_at INTEGER,
       error TEXT,
       owner TEXT,
       epoch INTEGER NOT NULL,
       beat INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID;
     CREATE INDEX jobs_by_kind ON jobs (organisation_id, kind, id);
     CREATE INDEX jobs_open ON jobs (organisation_id, id) WHERE finished_at IS NULL;
     CREATE INDEX jobs_ended ON jobs (organisation_id, kind, finished_at) WHERE finished_at IS NOT NULL;`,
  ],
};

interface JobRow {
  readonly id: string;
  readonly organisation_id: string;
  readonly kind: number;
  readonly spec: string;
  readonly state: number;
  readonly counts: string;
  readonly cursor: string;
  readonly created_by: string;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly finished_at: number | null;
  readonly error: string | null;
  readonly owner: string | null;
  readonly epoch: number;
  readonly beat: number;
}

const [pending, running] = [jobStates.indexOf('pending'), jobStates.indexOf('running')];
const cancelled = jobStates.indexOf('cancelled');

/** Jobs in the embedded database. The file is held by one process, so whoever gets as far as asking is the only owner there can be. */
export function createSqliteJobStore(database: SqliteDatabase): JobStore {
  const insertOne = database.prepare(
    `INSERT INTO jobs (id, organisation_id, kind, spec, state, counts, cursor, created_by, created_at, epoch, beat)
     VALUES (?, ?, ?, ?, ${pending}, ?, '', ?, ?, 0, 0) ON CONFLICT (id) DO NOTHING`,
  );
  const selectOne = database.prepare<JobRow>('SELECT * FROM jobs WHERE organisation_id = ? AND id = ?');
  const countOpen = database.prepare<{ open: number }>(
    `SELECT count(*) AS open FROM (SELECT 1 FROM jobs
       WHERE organisation_id = ? AND kind = ? AND finished_at IS NULL LIMIT ?)`,
  );
  const nextOpen = database.prepare<{ organisation_id: string }>(
    `SELECT organisation_id FROM jobs WHERE organisation_id > ? AND finished_at IS NULL
     ORDER BY organisation_id LIMIT 1`,
  );
  const nextOrganisation = database.prepare<{ organisation_id: string }>(
    'SELECT organisation_id FROM jobs WHERE organisation_id > ? ORDER BY organisation_id LIMIT 1',
  );
  const selectOpen = database.prepare<JobRow>(
    'SELECT * FROM jobs WHERE organisation_id = ? AND finished_at IS NULL ORDER BY id LIMIT ?',
  );
  const take = database.prepare(
    `UPDATE jobs SET owner = ?, epoch = epoch + 1, beat = beat + 1, state = ${running},
       started_at = coalesce(started_at, ?)
     WHERE organisation_id = ? AND id = ? AND epoch = ? AND beat = ? AND owner IS ? AND finished_at IS NULL`,
  );
  const underEpoch = 'organisation_id = ? AND id = ? AND epoch = ? AND owner IS NOT NULL';
  const renew = database.prepare(
    `UPDATE jobs SET beat = beat + 1 WHERE ${underEpoch} AND finished_at IS NULL`,
  );
  const giveBack = database.prepare(`UPDATE jobs SET owner = NULL WHERE ${underEpoch}`);
  const save = database.prepare(
    `UPDATE jobs SET cursor = ?, counts = ?, beat = beat + 1 WHERE ${underEpoch}`,
  );
  const finish = database.prepare(
    `UPDATE jobs SET state = ?, error = ?, finished_at = ?, owner = NULL WHERE ${underEpoch} AND state = ${running}`,
  );
  const cancel = database.prepare(
    `UPDATE jobs SET state = ${cancelled}, finished_at = ?
     WHERE organisation_id = ? AND id = ? AND finished_at IS NULL`,
  );
  const deleteOld = database.prepare(
    `DELETE FROM jobs WHERE id IN (SELECT id FROM jobs
       WHERE organisation_id = ? AND kind = ? AND finished_at < ? ORDER BY finished_at LIMIT ?)`,
  );

  function read(organisationId: string, id: string): Job | null {
    const row = selectOne.get(organisationId, id);
    return row === undefined ? null : jobFromRow(row);
  }

  function skip(next: typeof nextOpen, after: string, limit: number): readonly string[] {
    const ids: string[] = [];
    for (let row = next.get(after); row !== undefined && ids.length < limit;) {
      ids.push(row.organisation_id);
      row = next.get(row.organisation_id);
    }
    return ids;
  }

  return {
    isExclusive: true,
    insert: (job) =>
      database.write(() => {
        const { id, organisationId, kind, spec, counts, createdBy, createdAt } = job;
        const written = [JSON.stringify(counts), createdBy, createdAt.getTime()] as const;
        insertOne.run(id, organisationId, jobKinds.indexOf(kind), spec, ...written);
        const found = read(organisationId, id);
        if (found === null) throw new Error(`job ${id} was written and is not there`);
        return found;
      }),
    get: async (organisationId, id) => read(organisationId, id),
    list({ organisationId, kind, states }, page) {
      const where = new Conditions();
      where.oneOf(
        'state',
        states?.map((state) => jobStates.indexOf(state)),
      );
      const range = 'organisation_id = ? AND kind = ?';
      const walk = walkIndex(database, { table: 'jobs', key: 'id', range }, [
        organisationId,
        jobKinds.indexOf(kind),
      ]);
      const query = { table: 'jobs', key: 'id', keyOf: (row: JobRow) => row.id, walk, end: endOfIds };
      return scanPage<JobRow, Job>(database, { ...query, ...where.done() }, page, jobFromRow);
    },
    countOpen: async (organisationId, kind, limit) =>
      countOpen.get(organisationId, jobKinds.indexOf(kind), limit)?.open ?? 0,
    openOrganisations: async (after, limit) => skip(nextOpen, after, limit),
    open: async (organisationId, limit) => selectOpen.all(organisationId, limit).map(jobFromRow),
    take: ({ organisationId, id, epoch, beat, owner }, candidate, now) =>
      database.write(() => {
        const seen = [organisationId, id, epoch, beat, owner] as const;
        return take.run(candidate, now.getTime(), ...seen).changes === 0 ? null : read(organisationId, id);
      }),
    renew: (held) =>
      database.write(() => {
        const stand = held.filter((job) => renew.run(job.organisationId, job.id, job.epoch).changes > 0);
        return new Set(stand.map(({ id }) => id));
      }),
    async giveBack({ organisationId, id, epoch }) {
      await database.writeStatement(() => giveBack.run(organisationId, id, epoch));
    },
    save: ({ organisationId, id, epoch }, { cursor, counts }) =>
      database.write(() => {
        const written = save.run(cursor, JSON.stringify(counts), organisationId, id, epoch);
        return written.changes === 0 ? null : read(organisationId, id);
      }),
    finish: ({ organisationId, id, epoch }, { state, error, at }) =>
      database.writeStatement(() => {
        const end = [jobStates.indexOf(state), error, at.getTime()] as const;
        return finish.run(...end, organisationId, id, epoch).changes > 0;
      }),
    cancel: (organisationId, id, now) =>
      database.write(() =>
        cancel.run(now.getTime(), organisationId, id).changes === 0 ? null : read(organisationId, id),
      ),
    sweep: ({ organisationId, kind, before, limit }) =>
      database.writeStatement(() =>
        Number(deleteOld.run(organisationId, jobKinds.indexOf(kind), before.getTime(), limit).changes),
      ),
    organisations: async (after, limit) => skip(nextOrganisation, after, limit),
  };
}

function jobFromRow(row: JobRow): Job {
  return {
    id: row.id,
    organisationId: row.organisation_id,
    kind: named(jobKinds, row.kind),
    spec: row.spec,
    state: named(jobStates, row.state),
    counts: JSON.parse(row.counts) as JobCounts,
    cursor: row.cursor,
    createdBy: row.created_by,
    createdAt: new Date(row.created_at),
    startedAt: row.started_at === null ? null : new Date(row.started_at),
    finishedAt: row.finished_at === null ? null : new Date(row.finished_at),
    error: row.error,
    owner: row.owner,
    epoch: row.epoch,
    beat: row.beat,
  };
}
