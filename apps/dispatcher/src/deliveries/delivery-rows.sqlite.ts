import {
  attemptIdOf,
  attemptOutcomes,
  attemptTriggers,
  deliveryStates,
  type Attempt,
  type AttemptResponse,
  type Delivery,
} from '@posthorn/models';
import type { Migrations } from '@posthorn/sqlite';
import type { DeliveryOrder } from './delivery-store.ts';
import { verifyEventType } from '../envelope/xurrent.ts';

/** SQL that picks what asks a receiver to show that it is one; the same words wherever the index of it is to be found. */
export const isVerification = `event_type = '${verifyEventType}'`;

/** SQL that picks what is held, likewise. */
export const isHeld = `state = ${deliveryStates.indexOf('held')}`;

/**
 * The dispatcher's tables. Enumerations are stored as their place in the model's list (which only grows), times as
 * milliseconds. Delivery ids begin with the event's time, so rows come in at the end of the tables; only one index of each
 * table is spread over the endpoints, because every place that a delivery is written to costs a page in the write-ahead
 * log. The indexes of what waits, of what is claimed and of what waits in order are partial: a delivery that ends at once
 * never touches them. In one process there is one partition, 0; that the tables know more of them costs a byte a row.
 */
export const dispatcherMigrations: Migrations = {
  owner: 'dispatcher',
  steps: [
    `CREATE TABLE deliveries (
       id TEXT PRIMARY KEY,
       organisation_id TEXT NOT NULL,
       event_id TEXT NOT NULL,
       event_type TEXT NOT NULL,
       endpoint_id TEXT NOT NULL,
       state INTEGER NOT NULL,
       reason TEXT,
       attempts INTEGER NOT NULL,
       next_attempt_at INTEGER,
       trigger INTEGER NOT NULL,
       claim TEXT,
       last_status INTEGER,
       created_at INTEGER NOT NULL,
       finished_at INTEGER
     ) STRICT, WITHOUT ROWID;
     CREATE INDEX deliveries_by_endpoint ON deliveries (organisation_id, endpoint_id, id);
     CREATE INDEX deliveries_waiting ON deliveries (endpoint_id, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
     CREATE INDEX deliveries_claimed ON deliveries (claim) WHERE claim IS NOT NULL;

     CREATE TABLE attempts (
       position INTEGER PRIMARY KEY,
       delivery_id TEXT NOT NULL,
       number INTEGER NOT NULL,
       organisation_id TEXT NOT NULL,
       event_id TEXT NOT NULL,
       event_type TEXT NOT NULL,
       endpoint_id TEXT NOT NULL,
       trigger INTEGER NOT NULL,
       started_at INTEGER NOT NULL,
       duration_ms INTEGER NOT NULL,
       outcome INTEGER NOT NULL,
       status INTEGER,
       error TEXT,
       response_headers TEXT,
       response_body TEXT,
       response_truncated INTEGER,
       address TEXT,
       signature TEXT
     ) STRICT;
     CREATE UNIQUE INDEX attempts_by_delivery ON attempts (delivery_id, number);
     CREATE INDEX attempts_by_endpoint ON attempts (organisation_id, endpoint_id, position);

     CREATE TABLE log_positions (
       partition INTEGER PRIMARY KEY,
       next INTEGER NOT NULL
     ) STRICT;`,

    `ALTER TABLE deliveries ADD COLUMN partition INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE deliveries ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE deliveries ADD COLUMN position INTEGER;
     ALTER TABLE deliveries ADD COLUMN order_key TEXT;
     DROP INDEX deliveries_waiting;
     CREATE INDEX deliveries_waiting ON deliveries (partition, endpoint_id, next_attempt_at)
       WHERE next_attempt_at IS NOT NULL;
     DROP INDEX deliveries_claimed;
     CREATE INDEX deliveries_claimed ON deliveries (partition, claim) WHERE claim IS NOT NULL;
     CREATE INDEX deliveries_in_order ON deliveries (partition, endpoint_id, order_key, position)
       WHERE order_key IS NOT NULL;

     CREATE TABLE leases (
       partition INTEGER PRIMARY KEY,
       owner TEXT,
       epoch INTEGER NOT NULL,
       beat INTEGER NOT NULL,
       next INTEGER NOT NULL,
       left_claims TEXT NOT NULL
     ) STRICT;
     INSERT INTO leases (partition, owner, epoch, beat, next, left_claims)
       SELECT partition, NULL, 0, 0, next, '[]' FROM log_positions;
     DROP TABLE log_positions;

     CREATE TABLE dead_records (
       number INTEGER PRIMARY KEY,
       id TEXT NOT NULL UNIQUE,
       kind TEXT NOT NULL,
       partition INTEGER NOT NULL,
       position INTEGER NOT NULL,
       organisation_id TEXT,
       event_id TEXT,
       delivery_id TEXT,
       reason TEXT NOT NULL,
       bytes BLOB NOT NULL,
       recorded_at INTEGER NOT NULL
     ) STRICT;
     CREATE TABLE log_losses (
       number INTEGER PRIMARY KEY,
       partition INTEGER NOT NULL,
       reason TEXT NOT NULL,
       from_position INTEGER NOT NULL,
       next_position INTEGER NOT NULL,
       recorded_at INTEGER NOT NULL
     ) STRICT;
     CREATE UNIQUE INDEX log_losses_once ON log_losses (partition, reason, from_position, next_position);`,

    `CREATE INDEX deliveries_verifying ON deliveries (partition, endpoint_id, next_attempt_at)
       WHERE next_attempt_at IS NOT NULL AND ${isVerification};`,

    `ALTER TABLE deliveries ADD COLUMN arrived INTEGER;
     CREATE INDEX deliveries_arrived ON deliveries (partition) WHERE arrived IS NOT NULL;`,

    `CREATE INDEX deliveries_held ON deliveries (organisation_id, id) WHERE ${isHeld};`,
  ],
};

export interface DeliveryRow {
  readonly id: string;
  readonly organisation_id: string;
  readonly event_id: string;
  readonly event_type: string;
  readonly endpoint_id: string;
  readonly state: number;
  readonly reason: string | null;
  readonly attempts: number;
  readonly next_attempt_at: number | null;
  readonly trigger: number;
  readonly claim: string | null;
  readonly partition: number;
  readonly epoch: number;
  readonly position: number | null;
  readonly order_key: string | null;
  readonly created_at: number;
  readonly finished_at: number | null;
}

export function deliveryFromRow(row: DeliveryRow): Delivery {
  return {
    id: row.id,
    organisationId: row.organisation_id,
    eventId: row.event_id,
    eventType: row.event_type,
    endpointId: row.endpoint_id,
    state: named(deliveryStates, row.state),
    reason: row.reason,
    attempts: row.attempts,
    nextAttemptAt: dateOrNull(row.next_attempt_at),
    trigger: named(attemptTriggers, row.trigger),
    createdAt: new Date(row.created_at),
    finishedAt: dateOrNull(row.finished_at),
  };
}

/** What the row waits under; null when it waits for nobody. */
export function orderFromRow({ order_key: key, position }: DeliveryRow): DeliveryOrder | null {
  return key === null || position === null ? null : { key, position };
}

export interface AttemptRow {
  readonly position: number;
  readonly delivery_id: string;
  readonly number: number;
  readonly organisation_id: string;
  readonly event_id: string;
  readonly event_type: string;
  readonly endpoint_id: string;
  readonly trigger: number;
  readonly started_at: number;
  readonly duration_ms: number;
  readonly outcome: number;
  readonly status: number | null;
  readonly error: string | null;
  readonly response_headers: string | null;
  readonly response_body: string | null;
  readonly response_truncated: number | null;
  readonly address: string | null;
  readonly signature: string | null;
}

export function attemptFromRow(row: AttemptRow): Attempt {
  return {
    id: attemptIdOf(row.delivery_id, row.number),
    organisationId: row.organisation_id,
    deliveryId: row.delivery_id,
    eventId: row.event_id,
    eventType: row.event_type,
    endpointId: row.endpoint_id,
    number: row.number,
    trigger: named(attemptTriggers, row.trigger),
    startedAt: new Date(row.started_at),
    durationMs: row.duration_ms,
    outcome: named(attemptOutcomes, row.outcome),
    status: row.status,
    error: row.error,
    response: responseFromRow(row),
    address: row.address,
    signature: row.signature,
  };
}

function responseFromRow(row: AttemptRow): AttemptResponse | null {
  return row.response_headers === null
    ? null
    : {
        headers: JSON.parse(row.response_headers) as Record<string, string>,
        body: row.response_body ?? '',
        truncated: row.response_truncated === 1,
      };
}

/** The name at a place of a model's list; a place beyond it was written by a newer version. */
export function named<T extends string>(names: readonly T[], place: number): T {
  const name = names[place];
  if (name === undefined) throw new Error(`no name at place ${place} of ${names.join(', ')}`);
  return name;
}

export function millis(date: Date | null): number | null {
  return date === null ? null : date.getTime();
}

function dateOrNull(value: number | null): Date | null {
  return value === null ? null : new Date(value);
}
