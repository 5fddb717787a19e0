import { idFloor, idTimeMs } from '@posthorn/models';
import type { Clock } from '@posthorn/runtime';
import type { DeliveryStore } from '../deliveries/delivery-store.ts';
import type { FeedStore, LateName } from './feed-store.ts';
import type { Ownership } from '../ownership/ownership.ts';

/**
 * How far the deliveries of the partitions that are ours are settled in the order of their ids, and what comes late to that order
 * (decision 33). A feed is read in order of id, which is that of the events' acceptance; but deliveries go on record in another order:
 * several partitions are planned at different speeds, an event may be planned long after it was accepted, and a replay makes
 * deliveries of old events. So each owner of a partition gives out a horizon, behind which feeds aren't read, and holds itself to it:
 *
 *   before a delivery goes on record whose id lies before the horizon that was given out, it is marked as late.
 *
 * What is late is read in an order of its own. This needs no clock to be right: a wrong one makes more deliveries late, and none is missed.
 * That an old owner may still write unmarked what it had under way changes nothing: the new owner meets these events again in the log,
 * and marks what it finds on record.
 */
export interface FeedHorizons {
  /** The deliveries, with what marks those that come late before they go on record. */
  readonly deliveries: DeliveryStore;
  /**
   * Learns where the horizons of newly owned partitions stand; until then everything in them is late. Moves ours on from time to time, where
   * there are other owners: where there are none, whoever reads a feed does.
   */
  look(): Promise<void>;
  /** Moves the horizons of our partitions on. */
  publish(): Promise<void>;
}

/** What goes on record within this time of its event's acceptance isn't late: nearly everything does. */
const settledAfterMs = 6000;
/** What was put on record this recently holds the horizon back, so that a partition that catches up isn't all late. */
const windowMs = 2000;
/** A partition that was just taken up may have much to catch up with. */
const graceMs = 3000;

const beyondIds = 'g';

interface Horizon {
  readonly partition: number;
  readonly epoch: number;
  readonly openedAt: number;
  at: number;
  /** The lowest id that isn't late. */
  floor: string;
  /** The lowest ids that went on record lately, and in the time before. */
  lately: string;
  before: string;
  turnedAt: number;
}

export function createFeedHorizons({
  store,
  feeds,
  held,
  isExclusive,
  clock,
}: {
  readonly store: DeliveryStore;
  readonly feeds: Pick<FeedStore, 'open' | 'publish' | 'markLate' | 'sweep'>;
  readonly held: Ownership['held'];
  /** Whether there can be no other owner. */
  readonly isExclusive: boolean;
  readonly clock: Clock;
}): FeedHorizons {
  const horizons = new Map<number, Horizon>();
  /** What is being written: the lowest id of each group. */
  const writing = new Set<{ readonly lowest: string }>();

  let publishedAt = -Infinity;

  function isLate(id: string, partition: number, epoch: number): boolean {
    const horizon = horizons.get(partition);
    if (horizon?.epoch !== epoch) return true;
    if (id < horizon.floor) return true;
    turn(horizon);
    if (id < horizon.lately) horizon.lately = id;
    return false;
  }

  /** Forgets what went on record before the last two windows, also when nobody has asked for the horizon meanwhile. */
  function turn(horizon: Horizon): void {
    const now = clock.monotonic();
    const passedMs = now - horizon.turnedAt;
    if (passedMs < windowMs) return;
    horizon.before = passedMs < 2 * windowMs ? horizon.lately : beyondIds;
    horizon.lately = beyondIds;
    horizon.turnedAt = now;
  }

  /** Marks what is late, and holds the horizon back until the rest is on record. */
  async function record(...[records, books]: Parameters<DeliveryStore['record']>): Promise<void> {
    let lowest = beyondIds;
    const late: LateName[] = [];
    for (const record of records) {
      if (record.kind !== 'insert') continue;
      const { delivery, partition, epoch } = record;
      if (isLate(delivery.id, partition, epoch)) late.push(delivery);
      else if (delivery.id < lowest) lowest = delivery.id;
    }
    const group = { lowest };
    writing.add(group);
    try {
      if (late.length > 0) await feeds.markLate(late);
      await store.record(records, books);
    } finally {
      writing.delete(group);
    }
  }

  /** What is to be marked before a delivery of this organisation goes on record beside the log. */
  async function markUnlessRecorded({ delivery }: { readonly delivery: LateName }): Promise<void> {
    const known = await store.get(delivery.organisationId, delivery.id);
    if (known === null) await feeds.markLate([delivery]);
  }

  async function findRecorded(
    wanted: Parameters<DeliveryStore['findRecorded']>[0],
  ): Promise<ReadonlySet<string>> {
    const recorded = await store.findRecorded(wanted);
    const late = wanted.filter(({ id }) => recorded.has(id) && isBehind(id));
    if (late.length > 0) await feeds.markLate(late);
    return recorded;
  }

  /** Whether a feed may have been read beyond it, in whichever partition it is. */
  function isBehind(id: string): boolean {
    return held().some(({ partition, epoch }) => {
      const horizon = horizons.get(partition);
      return horizon?.epoch !== epoch || id < horizon.floor;
    });
  }

  function moved(horizon: Horizon): boolean {
    turn(horizon);
    if (clock.monotonic() - horizon.openedAt < graceMs) return false;
    let lowest = horizon.lately < horizon.before ? horizon.lately : horizon.before;
    for (const group of writing) if (group.lowest < lowest) lowest = group.lowest;
    const settled = Math.floor(clock.now()) - settledAfterMs;
    const at = lowest === beyondIds ? settled : Math.min(settled, idTimeMs(lowest));
    if (at <= horizon.at) return false;
    horizon.at = at;
    horizon.floor = idFloor(at);
    return true;
  }

  async function publish(): Promise<void> {
    publishedAt = clock.monotonic();
    const news = [...horizons.values()].filter(moved);
    if (news.length > 0) {
      await feeds.publish(news.map(({ partition, epoch, at }) => ({ partition, epoch, at })));
    }
  }

  return {
    deliveries: {
      ...store,
      record,
      findRecorded,
      async claimNow(request) {
        await markUnlessRecorded(request);
        return store.claimNow(request);
      },
      async sweep(organisationId, before, limit) {
        await feeds.sweep(organisationId, before, limit);
        return store.sweep(organisationId, before, limit);
      },
    },

    async look() {
      const ours = held();
      const kept = new Map(ours.map(({ partition, epoch }) => [partition, epoch]));
      for (const { partition, epoch } of horizons.values()) {
        if (kept.get(partition) !== epoch) horizons.delete(partition);
      }
      for (const { partition, epoch } of ours) {
        if (horizons.get(partition)?.epoch === epoch) continue;
        const at = await feeds.open(partition, epoch);
        if (at === null) continue;
        const now = clock.monotonic();
        horizons.set(partition, {
          partition,
          epoch,
          openedAt: now,
          at,
          floor: idFloor(at),
          lately: beyondIds,
          before: beyondIds,
          turnedAt: now,
        });
      }
      if (!isExclusive && clock.monotonic() - publishedAt >= windowMs) await publish();
    },

    publish,
  };
}
