import type { Clock, Counter, Logger, Metrics } from '@posthorn/runtime';
import type { Arrival } from '../deliveries/delivery-homes.ts';
import type { DeliveryStore } from '../deliveries/delivery-store.ts';
import type { Directory } from '../directory.ts';
import type { HomeLines } from './home-lines.ts';
import type { Homes } from './homes.ts';
import type { Lanes } from '../lanes/lanes.ts';
import type { Ownership } from '../ownership/ownership.ts';

/**
 * What others have put into our partitions, and what of ours belongs elsewhere.
 * Arrivals: one query over one small index now and then, however many endpoints have a home here: at once after something of ours went
 * there, every 20 ms while something comes, and down to every quarter of a second while nothing does. Strays: deliveries that stand
 * in another partition than their endpoint's home, because its limits were changed while they waited, are moved there.
 */
export interface Homecoming {
  start(): void;
  stop(): void;
  /** Something has arrived. */
  soon(): void;
  /** Something of the endpoint may wait outside of its home. */
  stray(organisationId: string, endpointId: string): void;
}

const fastestMs = 20;
const slowestMs = 250;
const toldAtOnce = 500;
const movedAtOnce = 500;

export function createHomecoming(options: {
  readonly deliveries: Pick<DeliveryStore, 'takeArrivals' | 'moveWaiting'>;
  readonly homes: Homes;
  readonly lines: Pick<HomeLines, 'moving'>;
  readonly directory: Pick<Directory, 'load' | 'endpoint'>;
  readonly ownership: Pick<Ownership, 'held' | 'find'>;
  readonly lanes: () => Pick<Lanes, 'noteStored' | 'keys'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}): Homecoming {
  const { deliveries, homes, lines, directory, ownership, lanes, clock, logger } = options;
  const arrived: Counter = options.metrics.counter({
    name: 'posthorn_home_arrivals_total',
    help: 'Deliveries that others put into partitions of this process, because their endpoints have their home there.',
  });
  /** By endpoint, its organisation. */
  const strays = new Map<string, string>();
  let waitMs = fastestMs;
  let timer: ReturnType<Clock['setTimeout']> | null = null;
  let isLooking = false;
  let isAskedAgain = false;
  let isRunning = false;

  async function takeArrivals(): Promise<number> {
    const partitions = ownership.held().map(({ partition }) => partition);
    const told = partitions.length === 0 ? [] : await deliveries.takeArrivals(partitions, toldAtOnce);
    if (told.length === 0) return 0;
    arrived.inc(told.length);
    await directory.load(new Set(told.map(({ organisationId }) => organisationId)));
    for (const arrival of told) {
      if (arrival.key === null) noteFree(arrival);
      else noteInOrder(arrival, arrival.key);
    }
    return told.length;
  }

  function noteFree({ organisationId, endpointId, partition, dueAt }: Arrival): void {
    if (dueAt !== null) lanes().noteStored(organisationId, endpointId, dueAt.getTime(), partition);
  }

  function noteInOrder(arrival: Arrival, key: string): void {
    const { organisationId, endpointId, partition, isScheduled } = arrival;
    const holding = ownership.find(partition);
    if (holding?.state !== 'held') return;
    lanes().keys[isScheduled ? 'arrived' : 'recheck'](holding, { organisationId, endpointId, key });
  }

  async function moveStrays(): Promise<number> {
    let moved = 0;
    for (const [endpointId, organisationId] of [...strays]) {
      const signing = directory.endpoint(organisationId, endpointId);
      const home = signing === undefined ? null : homes.of(signing.endpoint);
      const from = ownership.held().flatMap(({ partition }) => (partition === home ? [] : [partition]));
      strays.delete(endpointId);
      if (home === null || from.length === 0) continue;
      const request = { organisationId, endpointId, from, to: home, limit: movedAtOnce };
      const moving = deliveries.moveWaiting(request);
      for (const partition of from) lines.moving({ organisationId, endpointId, partition }, moving);
      const count = await moving;
      if (count === movedAtOnce) strays.set(endpointId, organisationId);
      if (count > 0) lanes().keys.recheckEndpoint(endpointId);
      moved += count;
    }
    return moved;
  }

  async function look(): Promise<void> {
    isLooking = true;
    isAskedAgain = false;
    try {
      const moved = strays.size === 0 ? 0 : await moveStrays();
      const told = await takeArrivals();
      waitMs = moved + told > 0 ? fastestMs : Math.min(waitMs * 2, slowestMs);
    } catch (error) {
      waitMs = slowestMs;
      logger.error({ err: error }, 'what has come home could not be looked for; trying again');
    }
    isLooking = false;
    wait(isAskedAgain ? 0 : waitMs);
  }

  function wait(ms: number): void {
    if (!isRunning) return;
    if (timer !== null) clock.clearTimeout(timer);
    timer = clock.setTimeout(() => {
      timer = null;
      void look();
    }, ms);
    timer.unref();
  }

  function soon(): void {
    isAskedAgain = true;
    if (!isLooking) wait(0);
  }

  return {
    start() {
      isRunning = true;
      wait(waitMs);
    },
    stop() {
      isRunning = false;
      if (timer !== null) clock.clearTimeout(timer);
    },
    soon,
    stray(organisationId, endpointId) {
      const signing = directory.endpoint(organisationId, endpointId);
      if (!isRunning || signing === undefined || homes.of(signing.endpoint) === null) return;
      strays.set(endpointId, organisationId);
    },
  };
}
