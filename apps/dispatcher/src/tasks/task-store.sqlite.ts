import { taskKinds, taskStates, type Task } from '@posthorn/models';
import type { Migrations, SqliteDatabase } from '@posthorn/sqlite';
import { Conditions } from '../deliveries/delivery-lists.sqlite.ts';
import { named } from '../deliveries/delivery-rows.sqlite.ts';
import type { TaskQuery, TaskStore } from './task-store.ts';

/** The table of tasks. Enumerations are stored as their place in the model's list (which only grows), times as milliseconds. */
export const taskMigrations: Migrations = {
  owner: 'tasks',
  steps: [
    `CREATE TABLE tasks (
       id TEXT PRIMARY KEY,
       organisation_id TEXT NOT NULL,
       endpoint_id TEXT NOT NULL,
       kind INTEGER NOT NULL,
       key_id TEXT,
       event_id TEXT,
       state INTEGER NOT NULL,
       error TEXT,
       created_at INTEGER NOT NULL,
       started_at INTEGER,
       completed_at INTEGER
     ) STRICT, WITHOUT ROWID;
     CREATE INDEX tasks_by_time ON tasks (created_at, id);
     CREATE INDEX tasks_by_organisation ON tasks (organisation_id, created_at, id);
     CREATE INDEX tasks_unfinished ON tasks (created_at) WHERE completed_at IS NULL;`,
  ],
};

interface TaskRow {
  readonly id: string;
  readonly organisation_id: string;
  readonly endpoint_id: string;
  readonly kind: number;
  readonly key_id: string | null;
  readonly event_id: string | null;
  readonly state: number;
  readonly error: string | null;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly completed_at: number | null;
}

const [pending, processing] = [taskStates.indexOf('pending'), taskStates.indexOf('processing')];

/** Tasks in the embedded database. */
export function createSqliteTaskStore(database: SqliteDatabase): TaskStore {
  const insertOne = database.prepare(
    `INSERT INTO tasks (id, organisation_id, endpoint_id, kind, key_id, event_id, state, error, created_at, started_at,
       completed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
  );
  const selectOne = database.prepare<TaskRow>('SELECT * FROM tasks WHERE id = ?');
  const beginOne = database.prepare(
    `UPDATE tasks SET state = ${processing}, event_id = ?, started_at = ? WHERE id = ? AND state = ${pending}`,
  );
  const completeOne = database.prepare(
    `UPDATE tasks SET state = ?, error = ?, completed_at = ? WHERE id = ? AND state = ${processing}`,
  );
  const selectUnfinished = database.prepare<TaskRow>(
    'SELECT * FROM tasks WHERE completed_at IS NULL ORDER BY created_at LIMIT ?',
  );
  const nextOrganisation = database.prepare<{ organisation_id: string }>(
    'SELECT organisation_id FROM tasks WHERE organisation_id > ? ORDER BY organisation_id LIMIT 1',
  );
  const deleteOld = database.prepare(
    `DELETE FROM tasks WHERE id IN
       (SELECT id FROM tasks WHERE organisation_id = ? AND created_at < ? ORDER BY created_at LIMIT ?)`,
  );

  function list({
    organisationIds,
    endpointIds,
    kind,
    page,
  }: TaskQuery): Awaited<ReturnType<TaskStore['list']>> {
    const where = new Conditions();
    where.among('organisation_id', organisationIds);
    where.among('endpoint_id', endpointIds);
    where.equals('kind', kind && taskKinds.indexOf(kind));
    const { conditions, conditionParameters } = where.done();
    const wanted = [...conditions, 'TRUE'].join(' AND ');
    const total = database
      .prepare<{ total: number }>(`SELECT count(*) AS total FROM tasks WHERE ${wanted}`)
      .get(...conditionParameters);
    const select = (more: string, order: 'ASC' | 'DESC') =>
      database.prepare<TaskRow>(
        `SELECT * FROM tasks WHERE ${wanted} ${more} ORDER BY created_at ${order}, id ${order} LIMIT ? OFFSET ?`,
      );

    function rows(): TaskRow[] {
      const cursorId = page.afterId ?? page.beforeId;
      if (cursorId === null) {
        return select('', 'DESC').all(...conditionParameters, page.limit + 1, page.offset);
      }
      const cursor = database
        .prepare<TaskRow>(`SELECT * FROM tasks WHERE ${wanted} AND id = ?`)
        .get(...conditionParameters, cursorId);
      if (cursor === undefined) return [];
      const place = [cursor.created_at, cursor.id] as const;
      return page.afterId !== null
        ? select('AND (created_at, id) < (?, ?)', 'DESC').all(
            ...conditionParameters,
            ...place,
            page.limit + 1,
            0,
          )
        : select('AND (created_at, id) > (?, ?)', 'ASC').all(
            ...conditionParameters,
            ...place,
            page.limit + 1,
            0,
          );
    }

    const found = rows();
    const items = found.slice(0, page.limit).map(taskFromRow);
    if (page.afterId === null && page.beforeId !== null) items.reverse();
    return { items, total: total?.total ?? 0, hasMore: found.length > page.limit };
  }

  return {
    async insert(task) {
      await database.writeStatement(() =>
        insertOne.run(
          task.id,
          task.organisationId,
          task.endpointId,
          taskKinds.indexOf(task.kind),
          task.keyId,
          task.eventId,
          taskStates.indexOf(task.state),
          task.error,
          task.createdAt.getTime(),
          task.startedAt?.getTime() ?? null,
          task.completedAt?.getTime() ?? null,
        ),
      );
      const row = selectOne.get(task.id);
      if (row === undefined) throw new Error(`task ${task.id} was written and is not there`);
      return taskFromRow(row);
    },
    begin: (id, { eventId, at }) =>
      database.writeStatement(() => beginOne.run(eventId, at.getTime(), id).changes === 1),
    complete: (id, { state, error, at }) =>
      database.writeStatement(
        () => completeOne.run(taskStates.indexOf(state), error, at.getTime(), id).changes === 1,
      ),
    async get(organisationId, id) {
      const row = selectOne.get(id);
      const isVisible = organisationId === null || row?.organisation_id === organisationId;
      return row === undefined || !isVisible ? null : taskFromRow(row);
    },
    list: async (query) => list(query),
    unfinished: async (limit) => selectUnfinished.all(limit).map(taskFromRow),
    sweep: (organisationId, before, limit) =>
      database.writeStatement(() => Number(deleteOld.run(organisationId, before.getTime(), limit).changes)),
    async organisations(after, limit) {
      const ids: string[] = [];
      for (let row = nextOrganisation.get(after); row !== undefined && ids.length < limit;) {
        ids.push(row.organisation_id);
        row = nextOrganisation.get(row.organisation_id);
      }
      return ids;
    },
  };
}

function taskFromRow(row: TaskRow): Task {
  return {
    id: row.id,
    organisationId: row.organisation_id,
    endpointId: row.endpoint_id,
    kind: named(taskKinds, row.kind),
    keyId: row.key_id,
    eventId: row.event_id,
    state: named(taskStates, row.state),
    error: row.error,
    createdAt: new Date(row.created_at),
    startedAt: row.started_at === null ? null : new Date(row.started_at),
    completedAt: row.completed_at === null ? null : new Date(row.completed_at),
  };
}
