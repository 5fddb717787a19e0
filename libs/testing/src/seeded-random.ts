import type { Random } from '@posthorn/runtime';

/** A repeatable source of randomness: the same seed gives the same numbers, bytes and choices. Never for secrets. */
export interface SeededRandom extends Random {
  readonly seed: number;
  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number;
  /** One of the items. Throws a RangeError when there are none. */
  pick<T>(items: readonly T[]): T;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** The items in a random order. */
  shuffle<T>(items: readonly T[]): T[];
}

/** Makes a generator (mulberry32: 32 bits of state, fast, good enough to explore with). */
export function createSeededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;

  function nextUint32(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }
  const number = (): number => nextUint32() / 2 ** 32;
  const integer = (min: number, max: number): number => min + Math.floor(number() * (max - min + 1));

  return {
    seed,
    number,
    integer,
    bytes: (length) => Uint8Array.from({ length }, () => nextUint32() & 0xff),
    chance: (probability) => number() < probability,
    pick: (items) => {
      if (items.length === 0) throw new RangeError('Nothing to pick from.');
      return items[integer(0, items.length - 1)] as (typeof items)[number];
    },
    shuffle: (items) => {
      const shuffled = [...items];
      for (let last = shuffled.length - 1; last > 0; last--) {
        const other = integer(0, last);
        const kept = shuffled[last] as (typeof items)[number];
        shuffled[last] = shuffled[other] as (typeof items)[number];
        shuffled[other] = kept;
      }
      return shuffled;
    },
  };
}

/**
 * Runs a randomised test; when it fails, the error says with which seed, so that the very run can be repeated by setting
 * POSTHORN_TEST_SEED. Without that variable each run takes a new seed.
 */
export async function withSeed(test: (random: SeededRandom) => void | Promise<void>): Promise<void> {
  const given = process.env['POSTHORN_TEST_SEED'];
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given);
  try {
    await test(createSeededRandom(seed));
  } catch (error) {
    throw new Error(`Failed with seed ${seed}; repeat it with POSTHORN_TEST_SEED=${seed}.`, { cause: error });
  }
}
