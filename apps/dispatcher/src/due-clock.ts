import type { Clock } from '@posthorn/runtime';

/**
 * The time that due times and claims are counted in. It follows the wall clock forwards and never goes back: after the wall
 * clock was set back by an hour, it goes on from where it was, so what was due in five seconds is still due in five
 * seconds. Until the wall clock has caught up it leads by that hour; signatures, records and answers stay on the wall
 * clock. A restart begins with the wall clock again.
 */
export interface DueClock {
  /** Milliseconds since the epoch, whole ones; never goes back. */
  now(): number;
  /** The due time of what is to happen at `at` by the wall clock. */
  fromWall(at: Date): Date;
  /** When something due will happen, by the wall clock. */
  toWall(due: Date): Date;
}

export function createDueClock(clock: Clock): DueClock {
  let last = clock.now();
  let lastMonotonic = clock.monotonic();

  function now(): number {
    const monotonic = clock.monotonic();
    last = Math.max(clock.now(), last + (monotonic - lastMonotonic));
    lastMonotonic = monotonic;
    return Math.floor(last);
  }

  const lead = (): number => now() - Math.floor(clock.now());

  return {
    now,
    fromWall: (at) => new Date(at.getTime() + lead()),
    toWall: (due) => new Date(due.getTime() - lead()),
  };
}
