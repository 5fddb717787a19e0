import type { Holding, Ownership } from './ownership.ts';

/** A partition that is held, for tests of what works under it; `over` may change while a test runs. */
export function sampleHolding(over: Partial<Holding> = {}): Holding {
  const claim = over.claim ?? 'me';
  const holding: Holding = {
    partition: 0,
    epoch: 1,
    claim,
    inHands: [claim],
    since: 0,
    crowded: new Map<string, number>(),
    state: 'held',
    mayStart: () => holding.state === 'held',
    isCertain: () => holding.state !== 'lost',
    whenLost: new AbortController().signal,
    stillLeft: () => [],
    ...over,
  };
  return holding;
}

export function ownershipOf(...holdings: Holding[]): Pick<Ownership, 'find' | 'held'> {
  return {
    find: (partition) => holdings.find((one) => one.partition === partition),
    held: () => holdings,
  };
}
