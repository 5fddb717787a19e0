import { DomainError, type Event } from '@posthorn/models';
import { sleep, type Clock, type Counter, type Logger, type Metrics, type Timer } from '@posthorn/runtime';
import type { EventLogReader, LogBatch, LogConsumer } from '@posthorn/event-log';
import type { DeliveryStore, NextPosition } from './delivery-store.ts';
import type { Directory } from './directory.ts';
import type { EventStore } from './event-store.ts';
import type { Lanes } from './lanes.ts';
import { planDeliveries } from './plan.ts';
import { createProgress, type PositionMark, type Progress } from './progress.ts';
import { queuedDelivery } from './queued-delivery.ts';
import type { Books, Recorder } from './record.ts';

/**
 * Between the log and the lanes. The log only hands over: batches wait here in order, each is claimed and planned while
 * the view of the endpoints is brought up to now, and its deliveries go to their lanes. A partition pauses while too much
 * is in memory, and a batch waits while a store or config is away; one event that can't be planned stops nobody.
 */
export interface Intake extends LogConsumer {
  /** More room was made: reading may go on. */
  roomMade(): void;
}

export interface IntakeOptions {
  readonly log: EventLogReader;
  readonly events: EventStore;
  readonly deliveries: DeliveryStore;
  readonly directory: Directory;
  readonly lanes: Lanes;
  readonly recorder: Recorder;
  readonly books: PartitionBooks;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly limits: IntakeLimits;
}

/** Above these, reading pauses; it goes on at half of them. */
export interface IntakeLimits {
  readonly deliveries: number;
  readonly bytes: number;
  /** Events that were read and aren't on record yet. */
  readonly unrecordedEvents: number;
}

export const defaultIntakeLimits: IntakeLimits = {
  deliveries: 16_000,
  bytes: 48 * 1024 * 1024,
  unrecordedEvents: 16_000,
};

/** When reading has been paused for this long, what waits in memory isn't moving: it makes room in storage. */
const stuckAfterMs = 3000;
const nothingRecorded: ReadonlySet<string> = new Set();
const firstRetryMs = 100;
const longestRetryMs = 5000;

/** Where each partition that is read here stands. */
export interface PartitionBooks extends Books {
  open(partition: number, next: number): void;
  progress(partition: number): Progress;
  readonly unfinished: number;
}

export function createPartitionBooks(): PartitionBooks {
  const partitions = new Map<number, { readonly progress: Progress; written: number }>();

  function of(partition: number): Progress {
    const known = partitions.get(partition);
    if (known === undefined) throw new Error(`partition ${partition} is not ours`);
    return known.progress;
  }

  return {
    open: (partition, next) =>
      void partitions.set(partition, { progress: createProgress(partition, next), written: next }),
    progress: of,
    settle: (mark) => partitions.get(mark.partition)?.progress.settle(mark),
    moved() {
      const moved: NextPosition[] = [];
      for (const [partition, entry] of partitions) {
        const { next } = entry.progress;
        if (next === entry.written) continue;
        entry.written = next;
        moved.push({ partition, next });
      }
      return moved;
    },
    get unfinished() {
      let unfinished = 0;
      for (const { progress } of partitions.values()) unfinished += progress.unfinished;
      return unfinished;
    },
  };
}

export function createIntake(options: IntakeOptions): Intake {
  const { log, events, deliveries, directory, lanes, recorder, books, clock, logger, limits } = options;
  const unplannable: Counter = options.metrics.counter({
    name: 'posthorn_unplannable_events_total',
    help: 'Events that could not be planned because of an error of ours; they are on record and can be replayed.',
  });
  const unmatched: Counter = options.metrics.counter({
    name: 'posthorn_unmatched_events_total',
    help: 'Events that no endpoint asked for; they are on record and can be replayed.',
  });
  options.metrics.gauge({
    name: 'posthorn_log_unrecorded_events',
    help: 'Events that were read from the log and are not on record whole.',
    collect: (gauge) => gauge.set(books.unfinished),
  });

  let queue: LogBatch[] = [];
  /** In batches that wait to be planned. */
  const unplanned = { events: 0, bytes: 0 };
  let running: Promise<void> | null = null;
  let stopped = false;
  const pausedPartitions = new Set<number>();
  let stuck: Timer | undefined;

  async function run(): Promise<void> {
    while (queue.length > 0 && !stopped) {
      const batches = queue;
      queue = [];
      for (const batch of batches) {
        if (stopped) return;
        await patiently(() => planBatch(batch));
        countUnplanned(batch, -1);
        pauseIfFull(batch.partition);
        roomMade();
      }
    }
    running = null;
  }

  /** Only unavailability makes a batch wait: it is tried again until it can be planned. */
  async function patiently(work: () => Promise<void>): Promise<void> {
    for (let delayMs = firstRetryMs; !stopped; delayMs = Math.min(delayMs * 2, longestRetryMs)) {
      try {
        await work();
        return;
      } catch (error) {
        logger.error({ err: error, delayMs }, 'a batch of events waits to be planned; trying again');
        await sleep(clock, delayMs);
      }
    }
  }

  async function planBatch(batch: LogBatch): Promise<void> {
    const organisations = new Set(batch.events.map(({ event }) => event.organisationId));
    const [claims] = await Promise.all([
      events.claim(batch),
      directory.bringUpToDate().then(() => directory.load(organisations)),
    ]);
    const now = new Date(clock.now());
    const progress = books.progress(batch.partition);
    const plans = batch.events
      .map(({ position, event }, index) => ({ position, event, claim: claims[index] }))
      .filter(({ position }) => position >= progress.next)
      .map((one) => ({ ...one, deliveries: one.claim === 'duplicate' ? [] : plan(one.event, now) }));
    const recorded = claims.includes('repeat')
      ? await deliveries.findRecorded(plans.flatMap((planned) => planned.deliveries.map(({ id }) => id)))
      : nothingRecorded;
    // From here on nothing can fail, so nothing is offered twice.
    for (const { position, event, deliveries: planned } of plans) {
      const missing = recorded.size === 0 ? planned : planned.filter(({ id }) => !recorded.has(id));
      const mark = progress.begin(position, Math.max(1, missing.length));
      if (missing.length === 0) recorder.planned(mark, roomMade);
      for (const delivery of missing) offer(delivery, event, mark);
    }
  }

  function countUnplanned({ events: logged }: LogBatch, sign: 1 | -1): void {
    unplanned.events += sign * logged.length;
    for (const { event } of logged) unplanned.bytes += sign * event.payload.byteLength;
  }

  function plan(event: Event, now: Date): ReturnType<typeof planDeliveries> {
    try {
      const view = directory.organisation(event.organisationId);
      const planned = view === null ? [] : planDeliveries(event, view, now);
      if (planned.length === 0) unmatched.inc();
      return planned;
    } catch (error) {
      unplannable.inc();
      logger.error(
        { err: DomainError.from(error), eventId: event.id, organisationId: event.organisationId },
        'an event could not be planned; it is on record and can be replayed',
      );
      return [];
    }
  }

  function offer(
    delivery: ReturnType<typeof planDeliveries>[number],
    event: Event,
    mark: PositionMark,
  ): void {
    lanes.offer(queuedDelivery({ delivery, event, claim: null, mark, queuedAt: clock.monotonic() }));
  }

  function isOver(share: number): boolean {
    const { memory } = lanes;
    return (
      memory.deliveries > limits.deliveries * share ||
      memory.bytes + unplanned.bytes > limits.bytes * share ||
      books.unfinished + unplanned.events > limits.unrecordedEvents * share
    );
  }

  function pauseIfFull(partition: number): void {
    if (!isOver(1) || pausedPartitions.has(partition)) return;
    if (pausedPartitions.size === 0) relieveLater();
    pausedPartitions.add(partition);
    log.pause(partition);
  }

  /** Receivers that take long must not keep everyone else's events in the log. */
  function relieveLater(): void {
    clock.clearTimeout(stuck);
    stuck = clock.setTimeout(() => {
      if (stopped || pausedPartitions.size === 0) return;
      lanes.relieve({ deliveries: limits.deliveries / 2, bytes: limits.bytes / 2 });
      relieveLater();
    }, stuckAfterMs);
    stuck.unref();
  }

  function roomMade(): void {
    if (pausedPartitions.size === 0 || isOver(0.5)) return;
    for (const partition of pausedPartitions) log.resume(partition);
    pausedPartitions.clear();
  }

  return {
    async assigned(partition) {
      const next = await deliveries.nextPosition(partition);
      books.open(partition, next);
      return next;
    },
    deliver(batch) {
      queue.push(batch);
      countUnplanned(batch, 1);
      pauseIfFull(batch.partition);
      running ??= run();
    },
    async revoked() {
      stopped = true;
      clock.clearTimeout(stuck);
      queue = [];
      await running;
    },
    roomMade,
  };
}
