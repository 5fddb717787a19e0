/**
 * Owning partitions (pipeline rules 11 and 12). Of each partition there is one owner at a time, though processes freeze, clocks differ
 * and messages come late:
 * - a candidate takes a lease only after it has seen the beat unchanged for the whole term and a margin, by its own monotonic clock;
 * - an owner is certain of its lease for one term, counted from before it sent its last renewal, by its own monotonic clock. When
 *   it is not certain, it starts nothing, and a request whose bytes aren't written yet is not sent;
 * - what it writes carries its claim or its epoch, so that what an old owner writes late changes nothing.
 * It stops where monotonic clocks run at rates that differ by more than the margin (a tenth), or stand still while the process
 * does (a virtual machine that is suspended).
 */
import { sleep, type Clock, type Logger, type Metrics, type Random } from '@posthorn/runtime';
import type { Bucket } from '../deliveries/delivery-store.ts';
import type { Lease, LeaseStore, LeftClaim } from './lease-store.ts';
import { createRenewals, hasMoved, isFree, standardTermMs } from './lease-term.ts';

/** A partition that is, or was, this process's; deliveries keep hold of the one that they came under. */
export interface Holding extends Bucket {
  readonly epoch: number;
  /** When the lease was taken, in monotonic milliseconds. */
  readonly since: number;
  /** How many of an endpoint's places a former owner of this partition still uses. */
  readonly crowded: ReadonlyMap<string, number>;
  /** `held`; `ending`: it is being handed over, nothing new may start; `lost`: another has it, or it was given back. */
  readonly state: 'held' | 'ending' | 'lost';
  /** Whether a new attempt may be started now. */
  mayStart(): boolean;
  /** Whether it is certain at this very moment that nobody else is the owner: asked just before bytes are written. */
  isCertain(): boolean;
  /** Aborts when it turns out to be another's; not when it is given back. */
  readonly whenLost: AbortSignal;
  /** What former owners may still have under way, and for how long from now on. */
  stillLeft(): readonly LeftClaim[];
}

export interface Ownership {
  /**
   * Waits until the partition's lease is free and takes it; answers it as it was taken, or null when `release` was called
   * meanwhile. Takes as long as it needs: while the store is away, it asks again. A partition that is held is answered at once.
   */
  acquire(partition: number): Promise<Acquired | null>;
  /** Those that are held and not being handed over. */
  held(): readonly Holding[];
  find(partition: number): Holding | undefined;
  /** Whether the places of the partition are ours to use now: its lease is certain, and it isn't being handed over. */
  isUsable(partition: number): boolean;
  /** How many such partitions there are. */
  countUsable(): number;
  /** How many of an endpoint's places former owners of these partitions still use. */
  countCrowded(endpointId: string): number;
  /** From now on nothing of it starts; it is still ours until it is given back. */
  end(partition: number): void;
  /** Gives the lease back, naming what is still under way. The caller has put everything on record. */
  giveBack(partition: number, left: readonly LeftClaim[]): Promise<void>;
  /** Told when a lease turns out to be another's. */
  onLost(listener: (holding: Holding) => void): void;
  stop(): void;
}

export interface Acquired {
  readonly holding: Holding;
  readonly lease: Lease;
}

export interface OwnershipOptions {
  readonly leases: LeaseStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly termMs?: number;
}

const nobody: ReadonlyMap<string, number> = new Map();

interface Held extends Holding {
  state: Holding['state'];
  inHands: readonly string[];
  crowded: ReadonlyMap<string, number>;
  certainUntil: number;
  readonly losing: AbortController;
}

/** What a test of an endpoint is made under: it is in no partition, and nobody else's. */
export const noPartition: Holding = {
  partition: 0,
  epoch: 0,
  since: 0,
  crowded: nobody,
  claim: '',
  inHands: [],
  state: 'held',
  mayStart: () => true,
  isCertain: () => true,
  whenLost: new AbortController().signal,
  stillLeft: () => [],
};

interface Candidacy {
  readonly controller: AbortController;
  readonly acquired: Promise<Acquired | null>;
}

export function createOwnership(options: OwnershipOptions): Ownership {
  const { leases, clock, logger, termMs = standardTermMs } = options;
  /** This process's name in leases and claims. */
  const owner = Buffer.from(options.random.bytes(9)).toString('base64url');
  const holdings = new Map<number, Held>();
  const candidacies = new Map<number, Candidacy>();
  const listeners: ((holding: Holding) => void)[] = [];
  let stopped = false;
  const renewLater = createRenewals({
    isNeeded: () => !leases.isExclusive && !stopped && holdings.size > 0,
    renew,
    clock,
    termMs,
  });
  options.metrics.gauge({
    name: 'posthorn_dispatcher_partitions',
    help: 'Partitions that this process holds the lease of.',
    collect: (gauge) => gauge.set(holdings.size),
  });
  const losses = options.metrics.counter({
    name: 'posthorn_leases_lost_total',
    help: 'Leases that another process took because this one had not renewed them.',
  });

  function hold({ partition, epoch, left }: Lease, certainUntil: number): Held {
    const claim = `${owner}/${epoch}`;
    const isCertain = (): boolean =>
      holding.state !== 'lost' && (leases.isExclusive || clock.monotonic() < holding.certainUntil);
    const losing = new AbortController();
    const since = clock.monotonic();
    let others = left;
    const holding: Held = {
      losing,
      whenLost: losing.signal,
      partition,
      epoch,
      since,
      crowded: crowdedBy(left),
      claim,
      inHands: [claim, ...left.map((one) => one.claim)],
      stillLeft: () =>
        others.map((one) => ({ ...one, forMs: Math.max(1, since + one.forMs - clock.monotonic()) })),
      state: 'held',
      certainUntil,
      isCertain,
      mayStart: () => holding.state === 'held' && isCertain(),
    };
    holdings.set(partition, holding);
    // What former owners left under way is theirs for so long; from then on nobody's.
    for (const one of left) {
      clock
        .setTimeout(() => {
          others = others.filter((other) => other !== one);
          holding.inHands = [claim, ...others.map((other) => other.claim)];
          holding.crowded = crowdedBy(others);
        }, one.forMs)
        .unref();
    }
    renewLater();
    return holding;
  }

  async function candidate(partition: number, signal: AbortSignal): Promise<Acquired | null> {
    let seen: Lease | null = null;
    let seenSince = 0;
    while (!signal.aborted && !stopped) {
      try {
        const lease = await leases.find(partition);
        const now = clock.monotonic();
        if (seen === null || hasMoved(seen, lease)) {
          seen = lease;
          seenSince = now;
        }
        if (leases.isExclusive || isFree(seen, { candidate: owner, unchangedMs: now - seenSince, termMs })) {
          const sentAt = clock.monotonic();
          const taken = await leases.take(seen, owner);
          if (taken !== null && !signal.aborted && !stopped) {
            return { holding: hold(taken, sentAt + termMs), lease: taken };
          }
          if (taken !== null) await leases.giveBack({ partition, epoch: taken.epoch, left: taken.left });
          seen = null;
          continue;
        }
      } catch (error) {
        logger.error({ err: error, partition }, 'the lease of a partition could not be had; asking again');
      }
      await sleep(clock, termMs / 10, signal);
    }
    return null;
  }

  /** One look at the clock for however many partitions: this is asked for every attempt. */
  function isUsable(holding: Held, now: number): boolean {
    return holding.state === 'held' && (leases.isExclusive || now < holding.certainUntil);
  }

  async function renew(): Promise<void> {
    const asked = [...holdings.values()];
    if (asked.length === 0) return;
    const sentAt = clock.monotonic();
    try {
      const stand = await leases.renew(asked);
      for (const holding of asked) {
        if (stand.has(holding.partition)) holding.certainUntil = sentAt + termMs;
        else if (holdings.get(holding.partition) === holding) lose(holding);
      }
    } catch (error) {
      logger.error({ err: error }, 'leases could not be renewed; trying again');
    }
  }

  function lose(holding: Held): void {
    holding.state = 'lost';
    holdings.delete(holding.partition);
    losses.inc();
    logger.error(
      { partition: holding.partition, epoch: holding.epoch },
      'the lease of a partition was taken by another',
    );
    holding.losing.abort();
    for (const listener of listeners) listener(holding);
  }

  return {
    async acquire(partition) {
      const known = holdings.get(partition);
      if (known !== undefined) {
        const lease = await leases.find(partition);
        return { holding: known, lease };
      }
      // Whoever asks again meanwhile waits for the same: a candidacy that nobody knows of could not be withdrawn.
      const running = candidacies.get(partition);
      if (running !== undefined) return running.acquired;
      const controller = new AbortController();
      const candidacy = { controller, acquired: candidate(partition, controller.signal) };
      candidacies.set(partition, candidacy);
      const acquired = await candidacy.acquired;
      if (candidacies.get(partition) === candidacy) candidacies.delete(partition);
      return acquired;
    },
    held: () => [...holdings.values()].filter(({ state }) => state === 'held'),
    find: (partition) => holdings.get(partition),
    isUsable(partition) {
      const holding = holdings.get(partition);
      return holding !== undefined && isUsable(holding, clock.monotonic());
    },
    countUsable() {
      const now = clock.monotonic();
      let count = 0;
      for (const holding of holdings.values()) if (isUsable(holding, now)) count += 1;
      return count;
    },
    countCrowded(endpointId) {
      let count = 0;
      for (const { crowded, state } of holdings.values())
        if (crowded.size > 0 && state === 'held') count += crowded.get(endpointId) ?? 0;
      return count;
    },
    end(partition) {
      candidacies.get(partition)?.controller.abort();
      candidacies.delete(partition);
      const holding = holdings.get(partition);
      if (holding !== undefined) holding.state = 'ending';
    },
    async giveBack(partition, left) {
      const holding = holdings.get(partition);
      if (holding === undefined) return;
      holdings.delete(partition);
      holding.state = 'lost';
      try {
        await leases.giveBack({ partition, epoch: holding.epoch, left });
      } catch (error) {
        logger.error({ err: error, partition }, 'a lease could not be given back; its term has to pass');
      }
    },
    onLost: (listener) => void listeners.push(listener),
    stop() {
      stopped = true;
      for (const { controller } of candidacies.values()) controller.abort();
    },
  };
}

function crowdedBy(left: readonly LeftClaim[]): ReadonlyMap<string, number> {
  if (left.length === 0) return nobody;
  const counts = new Map<string, number>();
  for (const { endpointId, attempts } of left.flatMap(({ crowded = [] }) => crowded)) {
    counts.set(endpointId, (counts.get(endpointId) ?? 0) + attempts);
  }
  return counts;
}
