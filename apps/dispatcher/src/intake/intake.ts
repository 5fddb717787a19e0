import type { LogBatch, LoggedEvent, LogLoss, UndecodableRecord } from '@posthorn/event-log';
import { DomainError, type Event } from '@posthorn/models';
import { sleep, type Clock, type Counter, type Logger, type Metrics } from '@posthorn/runtime';
import type { Books } from './books.ts';
import { claimUnerased } from './claim-unerased.ts';
import type { DeliveryStore } from '../deliveries/delivery-store.ts';
import type { Directory } from '../directory.ts';
import type { Eraser } from '../erasures/eraser.ts';
import type { EventClaim, EventStore } from '../events/event-store.ts';
import type { Backpressure } from './backpressure.ts';
import type { Homeward } from '../homes/homeward.ts';
import type { Lanes } from '../lanes/lanes.ts';
import type { Holding, Ownership } from '../ownership/ownership.ts';
import { orderOf, planDeliveries } from '../plan.ts';
import type { PositionMark, Progress } from './progress.ts';
import { deadRecordId, type PutAside } from './put-aside.ts';
import { queuedDelivery, type QueuedDelivery } from '../lanes/queued-delivery.ts';
import type { Recorder } from '../record.ts';
import type { Tombstones } from '../erasures/tombstones.ts';

/**
 * Between the log and the lanes. The log only hands over: the batches of a partition wait here in order, each is claimed and planned
 * while the view of the endpoints is brought up to now, and its deliveries go to their lanes. A batch waits while a store or
 * config is away, and no other partition's with it; an organisation whose view can't be had waits alone; what can't be claimed or
 * planned is put aside and stops nobody.
 */
export interface Intake {
  deliver(batch: LogBatch): void;
  lost(loss: LogLoss): void;
  /** Takes nothing more of the partition up; resolves when nothing of it is being planned. */
  forget(partition: number): Promise<void>;
}

export interface IntakeOptions {
  readonly events: EventStore;
  readonly deliveries: Pick<DeliveryStore, 'findRecorded'>;
  readonly directory: Directory;
  readonly ownership: Pick<Ownership, 'find'>;
  readonly lanes: Pick<Lanes, 'offer'>;
  readonly homeward: Homeward;
  readonly recorder: Recorder;
  readonly books: Books;
  readonly backpressure: Backpressure;
  readonly putAside: PutAside;
  readonly tombstones: Pick<Tombstones, 'bringUpToDate' | 'isErased'>;
  readonly eraser: Eraser;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const nothingRecorded: ReadonlySet<string> = new Set();
const firstRetryMs = 100;
const longestRetryMs = 5000;

/** A partition that is being read under one holding. */
interface Reading {
  readonly holding: Holding;
  readonly queue: LogBatch[];
  /** Events whose organisation's view can't be had, by organisation; whatever of it comes later waits behind them. */
  readonly waiting: Map<string, Claimed[]>;
  running: Promise<void> | null;
  isForgotten: boolean;
}

interface Claimed {
  readonly event: Event;
  readonly claim: EventClaim;
  readonly mark: PositionMark;
}

export function createIntake(options: IntakeOptions): Intake {
  const {
    events,
    deliveries,
    directory,
    ownership,
    lanes,
    homeward,
    recorder,
    books,
    backpressure,
    putAside,
    tombstones,
    eraser,
  } = options;
  const { clock, logger } = options;
  const unplannable: Counter = options.metrics.counter({
    name: 'posthorn_unplannable_events_total',
    help: 'Events that could not be planned because of an error of ours; they are on record and can be replayed.',
  });
  const unmatched: Counter = options.metrics.counter({
    name: 'posthorn_unmatched_events_total',
    help: 'Events that no endpoint asked for; they are on record and can be replayed.',
  });
  const readings = new Map<number, Reading>();

  function readingOf(partition: number): Reading | undefined {
    const known = readings.get(partition);
    const holding = ownership.find(partition);
    if (known !== undefined && known.holding === holding) return known;
    if (holding === undefined) return undefined;
    const reading: Reading = { holding, queue: [], waiting: new Map(), running: null, isForgotten: false };
    readings.set(partition, reading);
    return reading;
  }

  const isOver = (reading: Reading): boolean => reading.isForgotten || reading.holding.state !== 'held';

  async function run(reading: Reading): Promise<void> {
    for (;;) {
      const batch = reading.queue.shift();
      if (batch === undefined || isOver(reading)) break;
      await patiently(reading, 'a batch of events', () => planBatch(reading, batch));
      backpressure.planned(batch);
    }
    reading.running = null;
  }

  /** Only unavailability makes a batch wait: it is tried again until it can be planned. */
  async function patiently(reading: Reading, what: string, work: () => Promise<void>): Promise<void> {
    for (let delayMs = firstRetryMs; !isOver(reading); delayMs = Math.min(delayMs * 2, longestRetryMs)) {
      try {
        await work();
        return;
      } catch (error) {
        logger.error({ err: error, delayMs }, `${what} waits to be planned; trying again`);
        await sleep(clock, delayMs);
      }
    }
  }

  async function planBatch(reading: Reading, batch: LogBatch): Promise<void> {
    const organisations = new Set(batch.events.map(({ event }) => event.organisationId));
    const [claims, views] = await Promise.all([
      claimUnerased(events, batch, { clock, putAside, tombstones, eraser }),
      directory.bringUpToDate().then(() => loadViews(organisations)),
    ]);
    const progress = books.progress(batch.partition);
    if (progress === undefined || isOver(reading)) return;
    const now = new Date(clock.now());
    const planned: Planned[] = [];
    for (const entry of inOrder(batch)) {
      if (entry.position < progress.next) continue;
      if (!('event' in entry)) {
        bury(progress, batch.partition, entry);
        continue;
      }
      const { event, position } = entry;
      const claim = claims.get(position);
      const mark = progress.begin(position, 1);
      if (claim === undefined || claim === 'duplicate') recorder.planned(mark, backpressure.roomMade);
      else if (!views.has(event.organisationId) || reading.waiting.has(event.organisationId)) {
        waitForView(reading, { event, claim, mark });
      } else planned.push(plan({ event, claim, mark }, now));
    }
    await offerMissing(reading, planned);
  }

  /** Those of the organisations whose view is there. */
  async function loadViews(organisationIds: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const unavailable = await directory.loadAvailable(organisationIds);
    if (unavailable.size === 0) return organisationIds;
    const loaded = new Set(organisationIds);
    for (const [organisationId, error] of unavailable) {
      loaded.delete(organisationId);
      logger.error({ err: error, organisationId }, 'the endpoints of an organisation cannot be had');
    }
    return loaded;
  }

  interface Planned extends Claimed {
    readonly deliveries: ReturnType<typeof planDeliveries>;
  }

  function plan(claimed: Claimed, now: Date): Planned {
    const { event, mark } = claimed;
    try {
      const view = directory.organisation(event.organisationId);
      const planned = view === null ? [] : planDeliveries(event, view, now);
      if (planned.length === 0) unmatched.inc();
      return { ...claimed, deliveries: planned };
    } catch (error) {
      unplannable.inc();
      const { message } = DomainError.from(error);
      logger.error({ err: error, eventId: event.id }, 'an event could not be planned');
      mark.open += 1;
      const id = deadRecordId('unplannable', event.organisationId, event.id);
      void putAside({
        id,
        kind: 'unplannable',
        partition: mark.partition,
        position: mark.position,
        organisationId: event.organisationId,
        eventId: event.id,
        deliveryId: null,
        reason: message,
        bytes: event.payload,
      }).then(() => recorder.planned(mark, backpressure.roomMade));
      return { ...claimed, deliveries: [] };
    }
  }

  /** Offers what isn't on record; of an event that is read again, that has to be looked up. */
  async function offerMissing(reading: Reading, planned: readonly Planned[]): Promise<void> {
    const repeated = planned.filter(({ claim }) => claim === 'repeat');
    const recorded = repeated.length === 0 ? nothingRecorded : await findRecorded(reading, repeated);
    if (recorded === null) return;
    const offered: QueuedDelivery[] = [];
    for (const { event, mark, deliveries: all } of planned) {
      const missing = recorded.size === 0 ? all : all.filter(({ id }) => !recorded.has(id));
      if (missing.length === 0) {
        recorder.planned(mark, backpressure.roomMade);
        continue;
      }
      mark.open += missing.length - 1;
      for (const delivery of missing) {
        const endpoint = directory.endpoint(event.organisationId, delivery.endpointId);
        offered.push(
          queuedDelivery({
            delivery,
            event,
            holding: reading.holding,
            isRecorded: false,
            order: orderOf(event, mark.position, endpoint),
            mark,
            queuedAt: clock.monotonic(),
          }),
        );
      }
    }
    if (homeward.mustLookUp(offered)) {
      await patiently(reading, 'where keys wait', () => homeward.lookUp(offered));
    }
    // What was erased goes nowhere: the lanes put that on record.
    for (const queued of offered) {
      if (tombstones.isErased(queued.event) || !homeward.put(queued)) lanes.offer(queued);
    }
  }

  async function findRecorded(
    reading: Reading,
    repeated: readonly Planned[],
  ): Promise<ReadonlySet<string> | null> {
    const planned = repeated.flatMap((one) => one.deliveries);
    let found: ReadonlySet<string> | null = null;
    await patiently(reading, 'what is on record of a batch', async () => {
      found = planned.length === 0 ? nothingRecorded : await deliveries.findRecorded(planned);
    });
    return found;
  }

  function waitForView(reading: Reading, claimed: Claimed): void {
    const { organisationId } = claimed.event;
    const others = reading.waiting.get(organisationId);
    backpressure.waits(claimed.mark.partition, claimed.event, 1);
    if (others !== undefined) {
      others.push(claimed);
      return;
    }
    reading.waiting.set(organisationId, [claimed]);
    void patiently(reading, 'an organisation', () => directory.load([organisationId])).then(async () => {
      const waited = reading.waiting.get(organisationId) ?? [];
      reading.waiting.delete(organisationId);
      for (const { event, mark } of waited) backpressure.waits(mark.partition, event, -1);
      if (isOver(reading)) return;
      const now = new Date(clock.now());
      await offerMissing(
        reading,
        waited.map((one) => plan(one, now)),
      );
    });
  }

  function bury(progress: Progress, partition: number, record: UndecodableRecord): void {
    const { position, bytes, reason } = record;
    const mark = progress.begin(position, 1);
    void putAside({
      id: deadRecordId('undecodable', partition, position),
      kind: 'undecodable',
      partition,
      position,
      organisationId: null,
      eventId: null,
      deliveryId: null,
      reason,
      bytes,
    }).then(() => recorder.planned(mark, backpressure.roomMade));
  }

  return {
    deliver(batch) {
      const reading = readingOf(batch.partition);
      if (reading === undefined || isOver(reading)) return;
      reading.queue.push(batch);
      backpressure.read(batch);
      reading.running ??= run(reading);
    },

    lost(loss) {
      const { partition, from, next } = loss;
      const reading = readingOf(partition);
      if (reading === undefined || isOver(reading)) return;
      if (next < from) books.open(partition, reading.holding.epoch, next);
      const mark = next > from ? books.progress(partition)?.begin(next - 1, 1) : undefined;
      void putAside.loss(loss).then(() => {
        if (mark !== undefined) recorder.planned(mark, backpressure.roomMade);
      });
    },

    async forget(partition) {
      const reading = readings.get(partition);
      if (reading === undefined) return;
      reading.isForgotten = true;
      readings.delete(partition);
      reading.queue.length = 0;
      await reading.running;
    },
  };
}

/** Events and what isn't one, in the order of their positions. */
function inOrder({ events, undecodable = [] }: LogBatch): readonly (LoggedEvent | UndecodableRecord)[] {
  if (undecodable.length === 0) return events;
  return [...events, ...undecodable].sort((a, b) => a.position - b.position);
}
