import type { ingestV1 } from '@posthorn/contracts';
import { DomainError, type PublishLimits, type Violation } from '@posthorn/models';
import type { Clock, Logger, Timer } from '@posthorn/runtime';
import { LRUCache } from 'lru-cache';
import { guardUsageStore } from './guarded-usage-store.ts';
import type { IngestMetrics } from '../ingest-metrics.ts';
import { limitKinds } from './limit-kinds.ts';
import { UsageCounter, type LimitOwner } from './usage-counter.ts';
import type { UsageStore } from './usage-store.ts';

/**
 * Admits an event if every limit that holds for it has room for it, and counts it in all of them or in none. What was admitted is
 * never refused for a limit later. What has no limit never comes here.
 */
export interface Limiter {
  /** At once where what this process has taken ahead is enough. Never throws; rejects with `unavailable` when the store is away. */
  admit(limited: readonly Limited[], bytes: number): Admission | Promise<Admission>;
  /** Gives back what was taken and not used. */
  stop(): Promise<void>;
}

/** Who has limits, and which. */
export interface Limited {
  readonly owner: LimitOwner;
  readonly id: string;
  readonly limits: PublishLimits;
}

export type Admission = Admitted | { readonly refused: DomainError; readonly states: ingestV1.LimitStates };

export interface Admitted {
  readonly refused?: undefined;
  /** What is left now; of a window that is over, what was left in it when this event had been counted. */
  readonly left: () => ingestV1.LimitStates;
  /** Counts the event no longer. */
  readonly withdraw: () => void;
}

export interface LimiterOptions {
  readonly store: UsageStore;
  readonly metrics: IngestMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Organisations and keys whose counters are remembered; of one that is forgotten the store knows all but what was held. */
const maxOwners = 10_000;
/** How long an event may wait for room: others may be first, and a window may be over when the answer comes. */
const patienceMs = 2000;
/** What is held of a day goes back when nothing of it was used for so long. */
const idleMs = 1000;

interface Share {
  readonly counter: UsageCounter;
  readonly amount: number;
}

export function createLimiter({ store, metrics, clock, logger }: LimiterOptions): Limiter {
  const guarded = guardUsageStore(store, { clock, logger });
  const owners = new LRUCache<string, readonly UsageCounter[]>({ max: maxOwners });
  /** Counters that may hold something that has to go back. */
  const holding = new Set<UsageCounter>();
  let idleTimer: Timer | undefined;
  let releasing: Promise<unknown> = Promise.resolve();
  let isStopped = false;

  function countersOf({ owner, id }: Limited): readonly UsageCounter[] {
    const name = `${owner}/${id}`;
    let counters = owners.get(name);
    if (counters === undefined) {
      const common = { owner, ownerId: id, store: guarded, clock };
      counters = limitKinds.map((kind) => new UsageCounter({ ...common, kind }));
      owners.set(name, counters);
    }
    return counters;
  }

  /** What an event takes of each limit that holds for it. */
  function sharesOf(limited: readonly Limited[], bytes: number): readonly Share[] {
    return limited.flatMap((each) =>
      countersOf(each).flatMap((counter) => {
        const limit = each.limits[counter.kind.field];
        if (limit === null) return [];
        counter.allowance.update(clock.now(), limit);
        return [{ counter, amount: counter.kind.countsBytes ? bytes : 1 }];
      }),
    );
  }

  function refresh(limited: readonly Limited[]): void {
    for (const each of limited) {
      for (const { kind, allowance } of countersOf(each)) {
        const limit = each.limits[kind.field];
        if (limit !== null) allowance.update(clock.now(), limit);
      }
    }
  }

  /** Undefined: something has to be asked first. */
  function decide(shares: readonly Share[]): Admission | undefined {
    const nowMs = clock.monotonic();
    if (shares.every(({ counter, amount }) => counter.allowance.covers(amount))) {
      const used = shares.map((share) => {
        const { allowance } = share.counter;
        allowance.use(share.amount, nowMs);
        return { ...share, window: allowance.window, state: stateOf(share.counter, clock.now()) };
      });
      const left = (): ingestV1.LimitStates => ({
        states: used.map(({ counter, window, state }) =>
          counter.allowance.window === window ? stateOf(counter, clock.now()) : state,
        ),
      });
      const withdraw = (): void => {
        for (const { counter, amount, window } of used) counter.allowance.unuse(window, amount);
        watch(shares);
      };
      return { left, withdraw };
    }
    const spent = shares.filter(({ counter, amount }) => counter.allowance.isSpent(amount, nowMs));
    return spent.length === 0 ? undefined : refuse(shares, spent);
  }

  function refuse(shares: readonly Share[], spent: readonly Share[]): Admission {
    for (const { counter } of spent) metrics.limited(counter.owner, counter.kind.field);
    return { refused: refusalOf(spent, clock.now()), states: statesOf(shares) };
  }

  async function ask(limited: readonly Limited[], shares: readonly Share[]): Promise<Admission> {
    const startedAtMs = clock.monotonic();
    while (clock.monotonic() - startedAtMs < patienceMs) {
      const lacking = shares.filter(({ counter, amount }) => !counter.allowance.covers(amount));
      await Promise.all(lacking.map(({ counter, amount }) => counter.ask(amount)));
      watch(shares);
      refresh(limited);
      const decided = decide(shares);
      if (decided !== undefined) return decided;
    }
    const message = 'The limits could not be checked in time. Nothing was kept; try again soon.';
    throw new DomainError('unavailable', message, { retryAfterMs: 1000 });
  }

  function statesOf(shares: readonly Share[]): ingestV1.LimitStates {
    const known = shares.filter(({ counter }) => counter.allowance.isKnown);
    return { states: known.map(({ counter }) => stateOf(counter, clock.now())) };
  }

  /** What is held of a day isn't kept from other processes for longer than it is used. */
  function watch(shares: readonly Share[]): void {
    for (const { counter } of shares)
      if (counter.kind.returns && counter.allowance.held > 0) holding.add(counter);
    if (holding.size === 0 || idleTimer !== undefined || isStopped) return;
    idleTimer = clock.setTimeout(releaseIdle, idleMs);
    idleTimer.unref();
  }

  function releaseIdle(): void {
    idleTimer = undefined;
    const nowMs = clock.monotonic();
    const idle = [...holding].filter(({ allowance }) => nowMs - allowance.lastUsedAtMs >= idleMs);
    for (const counter of holding)
      if (counter.allowance.held === 0 || idle.includes(counter)) holding.delete(counter);
    releasing = Promise.all([releasing, ...idle.map((counter) => counter.release())]);
    watch([]);
  }

  return {
    admit(limited, bytes) {
      const shares = sharesOf(limited, bytes);
      const tooLarge = shares.filter(({ counter, amount }) => amount > counter.allowance.limit);
      if (tooLarge.length > 0) return { refused: tooLargeFor(tooLarge), states: statesOf(shares) };
      return decide(shares) ?? ask(limited, shares);
    },

    async stop() {
      isStopped = true;
      clock.clearTimeout(idleTimer);
      await Promise.all([releasing, ...[...holding].map((counter) => counter.release())]);
    },
  };
}

function stateOf({ name, kind, allowance }: UsageCounter, nowMs: number): ingestV1.LimitState {
  return {
    name,
    quota: BigInt(allowance.limit),
    windowSeconds: BigInt(kind.windowMs / 1000),
    remaining: BigInt(allowance.remaining),
    resetSeconds: BigInt(secondsUntilReset(allowance.resetMs(nowMs))),
    countsBytes: kind.countsBytes,
  };
}

function secondsUntilReset(resetMs: number): number {
  return Math.max(1, Math.ceil(resetMs / 1000));
}

/** All limits that have no room, and when the last of them has. */
function refusalOf(spent: readonly Share[], nowMs: number): DomainError {
  const violations = spent.map(({ counter, amount }): Violation => {
    const { kind, allowance } = counter;
    const { remaining } = allowance;
    const left = remaining === 0 ? 'none is left' : `${remaining} left, and this event has ${amount}`;
    const next = secondsUntilReset(allowance.resetMs(nowMs));
    const message = `${mayPublish(counter)}; ${left}. The next ${kind.windowName} begins in ${next} s.`;
    return { field: '', code: codeOf(counter), message };
  });
  return new DomainError('rate_limited', violations.map(({ message }) => message).join(' '), {
    violations,
    retryAfterMs: Math.max(...spent.map(({ counter }) => counter.allowance.resetMs(nowMs))),
  });
}

/** Waiting wouldn't help. */
function tooLargeFor(shares: readonly Share[]): DomainError {
  const violations = shares.map(({ counter, amount }): Violation => {
    const message = `${mayPublish(counter)}, and this event alone has ${amount}.`;
    return { field: '/data', code: codeOf(counter), message };
  });
  return new DomainError('payload_too_large', violations.map(({ message }) => message).join(' '), {
    violations,
  });
}

function mayPublish({ owner, kind, allowance }: UsageCounter): string {
  const who = owner === 'organisation' ? 'The organisation' : 'The key';
  const unit = `${kind.countsBytes ? 'byte' : 'event'}${allowance.limit === 1 ? '' : 's'}`;
  return `${who} may publish ${allowance.limit} ${unit} a ${kind.windowName}`;
}

function codeOf({ name }: UsageCounter): string {
  return name.replaceAll('-', '_');
}
