import type { Clock, Timer } from '@posthorn/runtime';

interface FakeTimer extends Timer {
  readonly dueAt: number;
  /** Breaks ties: of two timers due at once, the one that was set first fires first. */
  readonly order: number;
  readonly fn: () => void;
}

/** How many turns of the event loop `advanceAsync` leaves to the code under test after each timer. */
const settlingTurns = 5;

/**
 * A clock that stands still until it is told to move. Timers fire in the order in which they are due, each with the clock
 * showing its very moment, those that a timer sets included.
 */
export class FakeClock implements Clock {
  #now: number;
  #monotonic = 0;
  #orders = 0;
  readonly #timers = new Set<FakeTimer>();

  /** @param startMs what `now` shows first, milliseconds since the epoch */
  constructor(startMs = Date.parse('2026-01-01T00:00:00.000Z')) {
    this.#now = startMs;
  }

  now = (): number => this.#now;

  monotonic = (): number => this.#monotonic;

  setTimeout = (fn: () => void, ms: number): Timer => {
    const timer: FakeTimer = {
      dueAt: this.#monotonic + Math.max(0, ms),
      order: this.#orders++,
      fn,
      unref: () => timer,
    };
    this.#timers.add(timer);
    return timer;
  };

  clearTimeout = (timer: Timer | undefined): void => {
    this.#timers.delete(timer as FakeTimer);
  };

  /** How many timers are pending: a test that ends with one has found a leak. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** In how many milliseconds the next timer fires; null when none is pending. */
  get nextTimerInMs(): number | null {
    const timer = this.#nextDueWithin(Infinity);
    return timer === undefined ? null : timer.dueAt - this.#monotonic;
  }

  /** Moves on by `ms`, firing on the way what is due. What the callbacks do asynchronously happens later; see `advanceAsync`. */
  advance(ms: number): void {
    const end = this.#monotonic + ms;
    for (let timer = this.#nextDueWithin(end); timer; timer = this.#nextDueWithin(end)) this.#fire(timer);
    this.#moveTo(end);
  }

  /** Like `advance`, but lets promises and immediates run before it starts and after each timer, so that what they set takes part. */
  async advanceAsync(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    await settle();
    for (let timer = this.#nextDueWithin(end); timer; timer = this.#nextDueWithin(end)) {
      this.#fire(timer);
      await settle();
    }
    this.#moveTo(end);
  }

  /** Lets the wall clock jump, forwards or back, as NTP does: no timer notices. */
  jump(ms: number): void {
    this.#now += ms;
  }

  #fire(timer: FakeTimer): void {
    this.#timers.delete(timer);
    this.#moveTo(timer.dueAt);
    timer.fn();
  }

  #moveTo(monotonic: number): void {
    // A timer may have advanced the clock itself.
    if (monotonic <= this.#monotonic) return;
    this.#now += monotonic - this.#monotonic;
    this.#monotonic = monotonic;
  }

  #nextDueWithin(end: number): FakeTimer | undefined {
    let next: FakeTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueAt > end) continue;
      if (!next || timer.dueAt < next.dueAt || (timer.dueAt === next.dueAt && timer.order < next.order))
        next = timer;
    }
    return next;
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < settlingTurns; turn++) await new Promise((resolve) => setImmediate(resolve));
}
