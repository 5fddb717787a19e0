import { deliveryIdOf, idTimeMs, isId, type Event } from '@posthorn/models';
import type { Migrations, SqliteDatabase } from '@posthorn/sqlite';
import type { Appended, EventLogReader, EventLogWriter, LogConsumer, LoggedEvent } from './event-log.ts';

/**
 * The embedded log: the events table, its rowid the position. Appending is the claim. What was just committed is handed
 * to the reader from memory; when the reader has fallen behind (paused, or starting), it reads the table instead.
 */
export interface SqliteEventLog extends EventLogWriter, EventLogReader {
  /** Puts an event on record that the reader isn't to be given: a test of an endpoint. */
  appendUnread(event: Event): Promise<Appended>;
}

export const eventLogMigrations: Migrations = {
  owner: 'event-log',
  steps: [
    `CREATE TABLE events (
       position INTEGER PRIMARY KEY,
       organisation_id TEXT NOT NULL,
       id TEXT NOT NULL,
       key TEXT,
       type TEXT NOT NULL,
       payload BLOB NOT NULL,
       labels TEXT,
       subject TEXT,
       idempotency_key TEXT,
       occurred_at INTEGER NOT NULL,
       accepted_at INTEGER NOT NULL,
       unread INTEGER NOT NULL
     ) STRICT;
     CREATE UNIQUE INDEX events_by_id ON events (organisation_id, id);
     CREATE INDEX events_by_key ON events (organisation_id, key) WHERE key IS NOT NULL;`,
    `ALTER TABLE events ADD COLUMN ordering_key TEXT;
     ALTER TABLE events ADD COLUMN routes_to TEXT;
     ALTER TABLE events ADD COLUMN traceparent TEXT;`,
    'ALTER TABLE events ADD COLUMN deliver_at INTEGER;',
  ],
};

/** A row of the events table. */
export interface EventRow {
  readonly position: number;
  readonly organisation_id: string;
  readonly id: string;
  /** What it is listed by; null: its id. */
  readonly key: string | null;
  readonly type: string;
  readonly payload: Uint8Array;
  readonly labels: string | null;
  readonly subject: string | null;
  readonly idempotency_key: string | null;
  readonly occurred_at: number;
  readonly accepted_at: number;
  readonly ordering_key: string | null;
  readonly routes_to: string | null;
  readonly traceparent: string | null;
  readonly deliver_at: number | null;
}

const noLabels: Readonly<Record<string, string>> = Object.freeze({});

export function eventFromRow(row: EventRow): Event {
  return {
    id: row.id,
    organisationId: row.organisation_id,
    type: row.type,
    payload: row.payload,
    labels: row.labels === null ? noLabels : (JSON.parse(row.labels) as Record<string, string>),
    subject: row.subject,
    idempotencyKey: row.idempotency_key,
    orderingKey: row.ordering_key,
    routesTo: row.routes_to,
    traceparent: row.traceparent,
    deliverAt: row.deliver_at === null ? null : new Date(row.deliver_at),
    occurredAt: new Date(row.occurred_at),
    acceptedAt: new Date(row.accepted_at),
  };
}

/** How far an id's own time may be from its acceptance for the id to stand for the event's place in time. */
const keyToleranceMs = 60_000;

/**
 * An organisation's events are listed in the order of their ids, which begin with their time. An id that the producer chose
 * says nothing of time: such an event has a key of its own for that, and a place in the index of keys.
 */
function keyOf({ id, organisationId, acceptedAt }: Event): string | null {
  if (isId(id) && Math.abs(idTimeMs(id) - acceptedAt.getTime()) < keyToleranceMs) return null;
  return deliveryIdOf({ acceptedAt, organisationId, eventId: id, endpointId: '' });
}

const onlyPartition = 0;
const readBatch = 256;

export function createSqliteEventLog(database: SqliteDatabase): SqliteEventLog {
  const insert = database.prepare(
    `INSERT INTO events (position, organisation_id, id, key, type, payload, labels, subject, idempotency_key,
       occurred_at, accepted_at, unread, ordering_key, routes_to, traceparent, deliver_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (organisation_id, id) DO NOTHING`,
  );
  const selectFrom = database.prepare<EventRow>(
    'SELECT * FROM events WHERE position >= ? AND unread = 0 ORDER BY position LIMIT ?',
  );
  const newest = database.prepare('SELECT max(position) AS position FROM events');

  /** Positions are given out by us and never twice, also when the newest events have been erased. */
  let lastPosition = Number(newest.get()?.['position'] ?? 0);
  const lastAtStart = lastPosition;

  let consumer: LogConsumer | undefined;
  let paused = false;
  /** The next position to hand over; everything before it has been. */
  let next = 1;
  /** True while what comes has to be read from the table, because something before it wasn't handed over from memory. */
  let behind = true;
  let fresh: LoggedEvent[] = [];
  let handingOver = false;

  async function write(event: Event, unread: boolean): Promise<Appended> {
    let position = 0;
    const { changes } = await database.writeStatement(() => {
      position = lastPosition + 1;
      const result = insert.run(
        position,
        event.organisationId,
        event.id,
        keyOf(event),
        event.type,
        event.payload,
        event.labels === noLabels || Object.keys(event.labels).length === 0
          ? null
          : JSON.stringify(event.labels),
        event.subject,
        event.idempotencyKey,
        event.occurredAt.getTime(),
        event.acceptedAt.getTime(),
        unread ? 1 : 0,
        event.orderingKey,
        event.routesTo,
        event.traceparent,
        event.deliverAt === null ? null : event.deliverAt.getTime(),
      );
      if (result.changes === 1) lastPosition = position;
      return result;
    });
    if (changes === 0) return { duplicate: true };
    // The table may have been read between the commit and this line.
    if (!unread && consumer !== undefined && !behind && position >= next) {
      fresh.push({ position, event });
      handOverSoon();
    }
    return { duplicate: false };
  }

  function handOverSoon(): void {
    if (handingOver || paused) return;
    handingOver = true;
    queueMicrotask(handOver);
  }

  /** Hands over what is fresh, or a piece of the table; goes on by itself until nothing is left. */
  function handOver(): void {
    handingOver = false;
    if (consumer === undefined || paused) return;
    if (behind) {
      const rows = selectFrom.all(next, readBatch);
      const last = rows.at(-1);
      // Nothing can be committed between this read and the next line: from here on memory is complete again.
      if (rows.length < readBatch) behind = false;
      if (last === undefined) return;
      next = last.position + 1;
      consumer.deliver({
        partition: onlyPartition,
        events: rows.map((row) => ({ position: row.position, event: eventFromRow(row) })),
        mayRepeat: last.position <= lastAtStart || (rows[0]?.position ?? 0) <= lastAtStart,
      });
      if (behind) setImmediate(handOverSoon);
      return;
    }
    const events = fresh;
    const last = events.at(-1);
    if (last === undefined) return;
    fresh = [];
    next = last.position + 1;
    consumer.deliver({ partition: onlyPartition, events, mayRepeat: false });
  }

  return {
    append: (event) => write(event, false),
    appendUnread: (event) => write(event, true),
    partitions: 1,
    drain: () => database.drain(),
    async start(newConsumer) {
      next = await newConsumer.assigned(onlyPartition);
      lastPosition = Math.max(lastPosition, next - 1);
      consumer = newConsumer;
      behind = true;
      handOverSoon();
    },
    pause() {
      paused = true;
      // What is in memory is in the table as well.
      fresh = [];
      behind = true;
    },
    resume() {
      if (!paused) return;
      paused = false;
      behind = true;
      handOverSoon();
    },
    // The file is this process's own: nobody can take a place in it.
    reopen: () => undefined,
    // Outcomes and the position move in one transaction here: there is no second place that needs to know.
    recorded: () => undefined,
    async stop() {
      const stopping = consumer;
      consumer = undefined;
      fresh = [];
      behind = true;
      await stopping?.revoked(onlyPartition);
    },
  };
}
