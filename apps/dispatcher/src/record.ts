import type { Clock, Counter, Histogram, Logger, Metrics } from '@posthorn/runtime';
import { sleep } from '@posthorn/runtime';
import { DomainError } from '@posthorn/models';
import type { Books } from './intake/books.ts';
import type { DeliveryRecord, DeliveryStore, NextPosition } from './deliveries/delivery-store.ts';
import type { PositionMark } from './intake/progress.ts';
import { deadRecordId, isTransient, type PutAside } from './intake/put-aside.ts';

/**
 * Step 8: what happened is remembered. Records are written in groups, one group in flight while the next collects, in the
 * order in which they were made, so no update overtakes its insert. A group that can't be written now is tried again until
 * it can (the log's positions move with it, never before it); meanwhile `backlog` tells the lanes to start nothing new. A
 * record that the store refuses for good is put aside, so that it doesn't keep the others from being written for ever.
 */
export interface Recorder {
  /** Takes a record over. `onRecorded` is called once it is durable. */
  add(record: DeliveryRecord, mark: PositionMark | null, onRecorded?: () => void): void;
  /** An event without deliveries was planned: only the books move. */
  planned(mark: PositionMark, onRecorded: () => void): void;
  /** Records that wait to be written. */
  readonly backlog: number;
  /** Resolves when everything that was added is durable, or when `signal` aborts. */
  drain(signal: AbortSignal): Promise<void>;
}

export interface RecorderOptions {
  readonly store: Pick<DeliveryStore, 'record'>;
  readonly books: Pick<Books, 'settle' | 'moved'>;
  readonly putAside: PutAside;
  /** Told where partitions stand once that is durable. */
  readonly onMoved?: (books: readonly NextPosition[]) => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

interface Entry {
  readonly record: DeliveryRecord | null;
  readonly mark: PositionMark | null;
  readonly onRecorded: (() => void) | undefined;
}

/** Rows in one group: bounds how long one write takes. */
const maxGroup = 128;
const firstRetryMs = 100;
const longestRetryMs = 5000;
/** So often a group is tried although the store says that it never will: then record by record. */
const triesWhenRefused = 3;

export function createRecorder(options: RecorderOptions): Recorder {
  const { store, books, putAside, onMoved = () => undefined, clock, logger, metrics } = options;
  const groupSize: Histogram = metrics.histogram({
    name: 'posthorn_record_batch_size',
    help: 'Outcomes written together.',
    buckets: [1, 2, 5, 10, 25, 50, 100, 200],
  });
  const failures: Counter = metrics.counter({
    name: 'posthorn_record_failures_total',
    help: 'Groups of outcomes that could not be written and were tried again.',
  });

  let waiting: Entry[] = [];
  let inFlight = 0;
  let running: Promise<void> | null = null;
  let lastRefusal = '';

  function push(entry: Entry): void {
    waiting.push(entry);
    running ??= run();
  }

  async function run(): Promise<void> {
    // What one turn of the loop brings is written together.
    await new Promise(setImmediate);
    while (waiting.length > 0) {
      const group = waiting.length <= maxGroup ? waiting : waiting.slice(0, maxGroup);
      waiting = group === waiting ? [] : waiting.slice(maxGroup);
      inFlight = group.length;
      await write(group);
      inFlight = 0;
      for (const { onRecorded } of group) onRecorded?.();
    }
    running = null;
  }

  async function write(group: readonly Entry[]): Promise<void> {
    const records: DeliveryRecord[] = [];
    for (const { record, mark } of group) {
      if (record !== null) records.push(record);
      // Groups are written one after another and never given up, so the watermark may count on this one.
      if (mark !== null) books.settle(mark);
    }
    const moved = books.moved();
    groupSize.observe(records.length);
    if (!(await tryToWrite(records, moved))) {
      for (const { record, mark } of group) {
        if (record !== null && !(await tryToWrite([record], []))) await bury(record, mark);
      }
      if (moved.length > 0) await tryToWrite([], moved);
    }
    if (moved.length > 0) onMoved(moved);
  }

  /** Tries until it is written; false when the store refuses it for good. */
  async function tryToWrite(
    records: readonly DeliveryRecord[],
    moved: readonly NextPosition[],
  ): Promise<boolean> {
    let refused = 0;
    for (let delayMs = firstRetryMs; ; delayMs = Math.min(delayMs * 2, longestRetryMs)) {
      try {
        await store.record(records, moved);
        return true;
      } catch (error) {
        failures.inc();
        logger.error(
          { err: error, records: records.length, delayMs },
          'outcomes could not be recorded; trying again',
        );
        if (!isTransient(error)) lastRefusal = DomainError.from(error).message;
        if (!isTransient(error) && ++refused === triesWhenRefused) return false;
        await sleep(clock, delayMs);
      }
    }
  }

  function bury(record: DeliveryRecord, mark: PositionMark | null): Promise<void> {
    const { delivery, attempt } = record;
    return putAside({
      id: deadRecordId('unwritable', delivery.id, attempt?.number ?? 0),
      kind: 'unwritable',
      partition: mark?.partition ?? (record.kind === 'insert' ? record.partition : 0),
      position: mark?.position ?? 0,
      organisationId: delivery.organisationId,
      eventId: delivery.eventId,
      deliveryId: delivery.id,
      reason: lastRefusal,
      // Nobody who erases looks for an answer there.
      bytes: Buffer.from(JSON.stringify({ ...withoutAnswer(record), event: undefined })),
    });
  }

  return {
    add: (record, mark, onRecorded) => push({ record, mark, onRecorded }),
    planned: (mark, onRecorded) => push({ record: null, mark, onRecorded }),
    get backlog() {
      return waiting.length + inFlight;
    },
    async drain(signal) {
      while (running !== null && !signal.aborted) {
        await Promise.race([
          running,
          new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true })),
        ]);
      }
    },
  };
}

/** What of a record doesn't have to be erased with its event. */
export function withoutAnswer(record: DeliveryRecord): DeliveryRecord {
  return { ...record, attempt: record.attempt && { ...record.attempt, response: null } };
}
