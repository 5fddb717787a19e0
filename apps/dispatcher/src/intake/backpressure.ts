import type { EventLogReader, LogBatch } from '@posthorn/event-log';
import type { Event } from '@posthorn/models';
import type { Clock, Metrics, Timer } from '@posthorn/runtime';
import type { Books } from './books.ts';
import type { Lanes } from '../lanes/lanes.ts';

/**
 * Decides which partitions are read. One pauses while too much of its own isn't planned or on record, in events or in bytes, and all
 * of them while too much waits in memory; what comes meanwhile stays in the log. Reading goes on at half of each bound. When
 * that takes long, what waits in memory isn't moving: it makes room in storage.
 */
export interface Backpressure {
  /** A batch was read, and waits to be planned. */
  read(batch: LogBatch): void;
  /** It was planned, or dropped. */
  planned(batch: LogBatch): void;
  /** An event waits, planned batch or not (1), or waits no more (-1). */
  waits(partition: number, event: Event, sign: 1 | -1): void;
  /** Something was put on record, or has left memory. */
  readonly roomMade: () => void;
  /** Nothing of the partition is read any more. */
  forget(partition: number): void;
  stop(): void;
}

/** Above these, reading pauses. */
export interface IntakeLimits {
  /** In the memory of all lanes. */
  readonly deliveries: number;
  readonly bytes: number;
  /** Events of one partition that were read and aren't on record yet. */
  readonly unrecordedEvents: number;
}

export const defaultIntakeLimits: IntakeLimits = {
  deliveries: 16_000,
  bytes: 48 * 1024 * 1024,
  unrecordedEvents: 16_000,
};

const stuckAfterMs = 3000;

interface Unplanned {
  events: number;
  bytes: number;
}

export function createBackpressure(options: {
  readonly log: Pick<EventLogReader, 'pause' | 'resume'>;
  readonly lanes: Pick<Lanes, 'memory' | 'relieve'>;
  readonly books: Books;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly limits: IntakeLimits;
}): Backpressure {
  const { log, lanes, books, clock, limits } = options;
  const unplanned = new Map<number, Unplanned>();
  const paused = new Set<number>();
  let stuck: Timer | undefined;
  let stopped = false;
  options.metrics.gauge({
    name: 'posthorn_log_unrecorded_events',
    help: 'Events that were read from the log and are not on record whole.',
    collect: (gauge) => gauge.set(books.unfinished),
  });
  options.metrics.gauge({
    name: 'posthorn_log_paused_partitions',
    help: 'Partitions that are not read at the moment because too much of them is in memory.',
    collect: (gauge) => gauge.set(paused.size),
  });

  function unplannedOf(partition: number): Unplanned {
    const known = unplanned.get(partition);
    if (known !== undefined) return known;
    const none = { events: 0, bytes: 0 };
    unplanned.set(partition, none);
    return none;
  }

  function count(partition: number, events: readonly Event[], sign: 1 | -1): void {
    // What was forgotten with its partition isn't counted off.
    if (sign === -1 && !unplanned.has(partition)) return;
    const counts = unplannedOf(partition);
    counts.events += sign * events.length;
    for (const event of events) counts.bytes += sign * event.payload.byteLength;
  }

  /** A partition's own share of the bytes, so that one whose batches wait leaves room for the others. */
  function isOver(partition: number, share: number): boolean {
    const { memory } = lanes;
    const own = unplannedOf(partition);
    const unfinished = books.progress(partition)?.unfinished ?? 0;
    return (
      memory.deliveries > limits.deliveries * share ||
      memory.bytes + own.bytes > limits.bytes * share ||
      own.bytes > (limits.bytes * share) / Math.max(1, unplanned.size) ||
      unfinished + own.events > limits.unrecordedEvents * share
    );
  }

  function pauseIfFull(partition: number): void {
    if (paused.has(partition) || !isOver(partition, 1)) return;
    if (paused.size === 0) relieveLater();
    paused.add(partition);
    log.pause(partition);
  }

  /** Receivers that take long must not keep everyone else's events in the log. */
  function relieveLater(): void {
    clock.clearTimeout(stuck);
    stuck = clock.setTimeout(() => {
      if (stopped || paused.size === 0) return;
      lanes.relieve({ deliveries: limits.deliveries / 2, bytes: limits.bytes / 2 });
      relieveLater();
    }, stuckAfterMs);
    stuck.unref();
  }

  function roomMade(): void {
    if (paused.size === 0) return;
    for (const partition of paused) {
      if (isOver(partition, 0.5)) continue;
      paused.delete(partition);
      log.resume(partition);
    }
  }

  const eventsOf = (batch: LogBatch): readonly Event[] => batch.events.map(({ event }) => event);

  return {
    read(batch) {
      count(batch.partition, eventsOf(batch), 1);
      pauseIfFull(batch.partition);
    },
    planned(batch) {
      count(batch.partition, eventsOf(batch), -1);
      pauseIfFull(batch.partition);
      roomMade();
    },
    waits(partition, event, sign) {
      count(partition, [event], sign);
      if (sign === 1) pauseIfFull(partition);
      else roomMade();
    },
    roomMade,
    forget(partition) {
      unplanned.delete(partition);
      paused.delete(partition);
    },
    stop() {
      stopped = true;
      clock.clearTimeout(stuck);
    },
  };
}
