import { attemptIdOf, deliveryStates, DomainError } from '@posthorn/models';
import type { SqliteDatabase } from '@posthorn/sqlite';
import type {
  AttemptQuery,
  DeliveryQuery,
  DeliverySearch,
  DeliverySearchOrder,
  EndedAttempt,
  FoundAttempt,
  SearchPage,
  SearchResult,
} from './delivery-search.ts';
import type { DeliveryWithLast } from './delivery-store.ts';
import { Conditions, createDeliveryLists, endpointsOf, organisationsOf } from './delivery-lists.sqlite.ts';
import { outcomePlace, statePlace } from './delivery-record.sqlite.ts';
import { attemptFromRow, named, type AttemptRow, type DeliveryRow } from './delivery-rows.sqlite.ts';
import { createRanking } from './ranking.ts';

/** Rows looked at in one go: a few milliseconds. */
const slice = 1000;
/** What tells of an endpoint's health is mostly among its last attempts. */
const latestSlice = 100;

/**
 * Walks the index that lists have too, endpoint by endpoint, and gives the event loop back between slices: an index for each order
 * would cost every delivery a page in the write-ahead log.
 */
export function createSqliteDeliverySearch(database: SqliteDatabase): DeliverySearch {
  const { withLast } = createDeliveryLists(database);
  const selectDelivery = database.prepare<DeliveryRow>('SELECT * FROM deliveries WHERE id = ?');
  const selectAttempt = database.prepare<AttemptRow>('SELECT * FROM attempts WHERE position = ?');

  const selectLatest = database.prepare<LatestRow>(
    `SELECT position, delivery_id, started_at, outcome,
       (SELECT state FROM deliveries WHERE id = attempts.delivery_id) AS state
     FROM attempts WHERE organisation_id = ? AND endpoint_id = ? AND position < ?
     ORDER BY position DESC LIMIT ${latestSlice}`,
  );

  /** Each endpoint of the organisations that the table has rows of, or those named. */
  function* lanes(
    table: 'deliveries' | 'attempts',
    { organisationIds, endpointIds }: Pick<DeliveryQuery, 'organisationIds' | 'endpointIds'>,
  ): Generator<readonly [organisationId: string, endpointId: string]> {
    const named = new Set(endpointIds);
    const isEverywhere = organisationIds.length === 0;
    for (const organisationId of isEverywhere ? everyOrganisation() : new Set(organisationIds)) {
      // Most organisations have none of the endpoints named: those that one has are fewer to look at.
      const isDirect = named.size > 0 && !isEverywhere;
      for (const endpointId of isDirect ? named : endpointsOf(database, table, organisationId)) {
        if (named.size === 0 || named.has(endpointId)) yield [organisationId, endpointId];
      }
    }
  }

  function* everyOrganisation(): Generator<string> {
    for (let last: string | undefined = ''; last !== undefined;) {
      const ids = organisationsOf(database, 'deliveries', { after: last, limit: 100 });
      yield* ids;
      last = ids.at(-1);
    }
  }

  async function deliveries(
    query: DeliveryQuery,
    signal: AbortSignal,
  ): Promise<SearchResult<DeliveryWithLast>> {
    const conditions = deliveryConditions(query);
    const wanted = [...conditions.conditions, '1'].join(' AND ');
    const key = deliveryKeys[query.orderBy];
    const columns = `id, ${key} AS key, ${wanted} AS wanted`;
    const sort = query.descending ? -1 : 1;
    const inOrder = (a: Placed, b: Placed): number => sort * comparePlaces(a, b);

    const cursor = cursorOf(query.page);
    const cursorPlace = cursor && placeOf(cursor.id);
    const backwards = cursor?.side === 'before';
    const ranking = createRanking<Placed>({
      skip: cursor === null ? query.page.offset : 0,
      limit: query.page.limit,
      compare: backwards ? (a, b) => inOrder(b, a) : inOrder,
    });
    let total = 0;

    function consider(rows: readonly (Placed & { readonly wanted: number })[]): void {
      for (const row of rows) {
        if (row.wanted !== 1) continue;
        total += 1;
        if (cursor !== null) {
          if (cursorPlace === null) continue;
          const distance = inOrder(row, cursorPlace);
          if (backwards ? distance >= 0 : distance <= 0) continue;
        }
        ranking.offer(row);
      }
    }

    /** The cursor's place in the list; null when the list doesn't hold it. */
    function placeOf(id: string): Placed | null {
      const row = database
        .prepare<Placed & { wanted: number }>(`SELECT ${columns} FROM deliveries WHERE id = ?`)
        .get(...conditions.conditionParameters, id);
      return row?.wanted === 1 ? row : null;
    }

    if (query.ids.length > 0) {
      const named = database.prepare<Placed & { wanted: number }>(
        `SELECT ${columns} FROM deliveries WHERE id IN (SELECT value FROM json_each(?))`,
      );
      consider(named.all(...conditions.conditionParameters, JSON.stringify(query.ids)));
    } else {
      const next = database.prepare<Placed & { wanted: number }>(
        `SELECT ${columns} FROM deliveries
         WHERE organisation_id = ? AND endpoint_id = ? AND id > ? ORDER BY id LIMIT ${slice}`,
      );
      for (const lane of lanes('deliveries', query)) {
        for (let after: string | undefined = ''; after !== undefined;) {
          const rows = next.all(...conditions.conditionParameters, ...lane, after);
          consider(rows);
          after = rows.length === slice ? rows.at(-1)?.id : undefined;
          await pause(signal);
        }
      }
    }

    const page = ranking.page();
    if (backwards) page.reverse();
    const items = page.flatMap(({ id }) => {
      const row = selectDelivery.get(id);
      return row === undefined ? [] : [withLast(row)];
    });
    const shown = (cursor === null ? query.page.offset : 0) + page.length;
    return { items, total, hasMore: ranking.offered > shown };
  }

  async function attempts(query: AttemptQuery, signal: AbortSignal): Promise<SearchResult<FoundAttempt>> {
    const conditions = attemptConditions(query);
    const next = database.prepare<AttemptPlace>(
      `SELECT position, delivery_id, number, started_at, status, ${[...conditions.conditions, '1'].join(' AND ')} AS wanted
       FROM attempts WHERE organisation_id = ? AND endpoint_id = ? AND position < ?
       ORDER BY position DESC LIMIT ${slice}`,
    );
    const text = query.text.toLowerCase();
    const ranking = createRanking<AttemptPlace>({
      skip: query.offset,
      limit: query.limit,
      compare: latestFirst,
    });
    for (const lane of lanes('attempts', query)) {
      for (let before: number | undefined = Number.MAX_SAFE_INTEGER; before !== undefined;) {
        const rows = next.all(...conditions.conditionParameters, ...lane, before);
        for (const row of rows) if (row.wanted === 1 && holdsText(row, text)) ranking.offer(row);
        before = rows.length === slice ? rows.at(-1)?.position : undefined;
        await pause(signal);
      }
    }
    const page = ranking.page();
    const items = page.flatMap(({ position, delivery_id: deliveryId }) => {
      const attempt = selectAttempt.get(position);
      const delivery = selectDelivery.get(deliveryId);
      // Swept away while we were looking.
      if (attempt === undefined || delivery === undefined) return [];
      return [{ attempt: attemptFromRow(attempt), ...withLast(delivery) }];
    });
    return { items, total: ranking.offered, hasMore: ranking.offered > query.offset + page.length };
  }

  async function* latestAttempts(
    organisationId: string,
    endpointId: string,
  ): AsyncGenerator<readonly EndedAttempt[]> {
    for (let before: number | undefined = Number.MAX_SAFE_INTEGER; before !== undefined;) {
      const rows = selectLatest.all(organisationId, endpointId, before);
      yield rows.map((row) => ({
        deliveryId: row.delivery_id,
        deliveryState: row.state === null ? null : named(deliveryStates, row.state),
        startedAt: new Date(row.started_at),
        succeeded: row.outcome === outcomePlace.success,
      }));
      before = rows.length === latestSlice ? rows.at(-1)?.position : undefined;
      await new Promise(setImmediate);
    }
  }

  return { deliveries, attempts, latestAttempts };
}

interface Placed {
  readonly id: string;
  readonly key: string | number;
}

interface AttemptPlace {
  readonly position: number;
  readonly delivery_id: string;
  readonly number: number;
  readonly started_at: number;
  readonly status: number | null;
  readonly wanted: number;
}

interface LatestRow {
  readonly position: number;
  readonly delivery_id: string;
  readonly started_at: number;
  readonly outcome: number;
  readonly state: number | null;
}

/** SQL of what each order sorts by. */
const deliveryKeys = {
  created: 'created_at',
  modified: `coalesce(nullif(max(coalesce(finished_at, 0), coalesce((SELECT started_at + duration_ms FROM attempts
    WHERE delivery_id = deliveries.id ORDER BY number DESC LIMIT 1), 0)), 0), created_at)`,
  event_type: 'event_type',
} as const satisfies Record<DeliverySearchOrder, string>;

function comparePlaces(a: Placed, b: Placed): number {
  if (a.key !== b.key) return a.key < b.key ? -1 : 1;
  return a.id === b.id ? 0 : a.id < b.id ? -1 : 1;
}

function latestFirst(a: AttemptPlace, b: AttemptPlace): number {
  if (a.started_at !== b.started_at) return b.started_at - a.started_at;
  if (a.delivery_id !== b.delivery_id) return a.delivery_id < b.delivery_id ? 1 : -1;
  return b.number - a.number;
}

function deliveryConditions(query: DeliveryQuery): ReturnType<Conditions['done']> {
  const where = new Conditions();
  // A walk by lanes keeps to these anyway; what is named by its id must, too.
  where.among('organisation_id', query.organisationIds);
  where.among('endpoint_id', query.endpointIds);
  where.among('id', query.ids);
  where.equals('event_id', query.eventId ?? undefined);
  where.oneOf(
    'state',
    query.states.map((state) => statePlace[state]),
  );
  where.oneOf('reason', query.reasons);
  where.oneOf('event_type', query.eventTypes);
  where.between('created_at', query.createdAfter ?? undefined, query.createdBefore ?? undefined);
  return where.done();
}

function attemptConditions(query: AttemptQuery): ReturnType<Conditions['done']> {
  const where = new Conditions();
  where.between('started_at', query.startedAfter ?? undefined, query.startedBefore ?? undefined);
  if (query.succeeded !== null) {
    where.sql(`outcome ${query.succeeded ? '=' : '<>'} ?`, outcomePlace.success);
  }
  where.statusClass('status', query.statusClass ?? undefined);
  where.oneOf('event_type', query.eventTypes);
  return where.done();
}

function holdsText({ delivery_id: deliveryId, number, status }: AttemptPlace, text: string): boolean {
  return (
    text === '' ||
    deliveryId.includes(text) ||
    (status !== null && String(status).includes(text)) ||
    attemptIdOf(deliveryId, number).includes(text)
  );
}

function cursorOf({
  afterId,
  beforeId,
}: SearchPage): { readonly side: 'after' | 'before'; readonly id: string } | null {
  if (afterId !== null) return { side: 'after', id: afterId };
  return beforeId === null ? null : { side: 'before', id: beforeId };
}

async function pause(signal: AbortSignal): Promise<void> {
  await new Promise(setImmediate);
  if (signal.aborted) {
    throw new DomainError('deadline_exceeded', 'Looking through all of it took too long; ask for less.');
  }
}
