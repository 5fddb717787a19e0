import type { LimitKind } from './limit-kinds.ts';
import type { UsageTaken } from './usage-store.ts';

/** For how long what was taken ahead should last: each process asks the store about ten times a second at most. */
const aheadMs = 100;
/** Taken ahead is never more than this part of what is left, so that several processes come to the end of it together. */
const shareOfRest = 4;
/** How long a look at a counter says that a limit is used up, where others may give something back. */
const trustedMs = 1000;

/**
 * What one process may use of one limit: the part that it has taken from the store ahead of use, and what it knows of the rest.
 * No clock and no store in here. Whatever the order of calls, what is used within a window is never more than what was granted in
 * it, so the sum over all processes is never above the limit.
 *
 * With one process `remaining` is exact. With several it is what was left when this one last looked, less what it used since.
 */
export class Allowance {
  readonly #kind: LimitKind;
  #limit = 0;
  #window = -1;
  /** Taken from the store and not used yet. */
  #held = 0;
  /** Taken by all processes, as of the last look; null before the first one in this window. */
  #taken: number | null = null;
  /** Of this window or one before: by it the pace of use is known. */
  #lookedAtMs = -Infinity;
  /** Used since the last look, by which the next one knows how much to take. */
  #usedSince = 0;
  #lastUsedAtMs = -Infinity;

  constructor(kind: LimitKind) {
    this.#kind = kind;
  }

  /** The window that is used now, by its number; see `update`. */
  get window(): number {
    return this.#window;
  }

  get limit(): number {
    return this.#limit;
  }

  get held(): number {
    return this.#held;
  }

  /** When something was used last, on the monotonic clock. */
  get lastUsedAtMs(): number {
    return this.#lastUsedAtMs;
  }

  /** Brings it up to the time of day; what was held of a window that is over is gone. */
  update(nowMs: number, limit: number): void {
    this.#limit = limit;
    const present = Math.floor(nowMs / this.#kind.windowMs);
    const ahead = this.#window - present;
    if (ahead >= 0 && ahead <= this.#kind.windowsAhead) return;
    this.#window = present;
    this.#held = 0;
    this.#taken = null;
  }

  /** Whether the store has been asked in this window: nothing is known of the rest before. */
  get isKnown(): boolean {
    return this.#taken !== null;
  }

  /** What may still be used in this window, by all that is known. */
  get remaining(): number {
    return Math.max(0, this.#limit - (this.#taken ?? 0) + this.#held);
  }

  /** Until the next window begins. */
  resetMs(nowMs: number): number {
    return (this.#window + 1) * this.#kind.windowMs - nowMs;
  }

  /** Whether so much may be used without asking. */
  covers(amount: number): boolean {
    return this.#held >= amount && this.remaining >= amount;
  }

  /** Whether it is known that so much isn't left. */
  isSpent(amount: number, monotonicMs: number): boolean {
    const isKnown =
      this.#taken !== null && (!this.#kind.returns || monotonicMs - this.#lookedAtMs < trustedMs);
    return isKnown && this.remaining < amount;
  }

  /** Only what is covered may be used. */
  use(amount: number, monotonicMs: number): void {
    this.#held -= amount;
    this.#usedSince += amount;
    this.#lastUsedAtMs = monotonicMs;
  }

  /** Takes back what was used in a window and hasn't counted after all. */
  unuse(window: number, amount: number): void {
    if (window === this.#window) this.#held += amount;
  }

  /** How much to ask the store for, so that these needs are met, and those of the next moments. */
  ask(
    needs: { readonly sum: number; readonly least: number },
    monotonicMs: number,
  ): { least: number; wanted: number } {
    const elapsedMs = Math.max(1, monotonicMs - this.#lookedAtMs);
    const usedSoon = Math.ceil((this.#usedSince / elapsedMs) * aheadMs);
    const left = this.#limit - (this.#taken ?? 0);
    const ahead = Math.min(usedSoon, Math.floor(left / shareOfRest));
    const least = Math.max(1, needs.least - this.#held);
    return { least, wanted: Math.max(least, needs.sum - this.#held, ahead) };
  }

  /** Takes in what the store has answered. What was granted in a window that is over meanwhile is lost. */
  granted({ window, taken, used }: UsageTaken, monotonicMs: number): void {
    if (window < this.#window) return;
    if (window > this.#window) {
      this.#window = window;
      this.#held = 0;
    }
    this.#held += taken;
    this.#taken = used;
    this.#lookedAtMs = monotonicMs;
    this.#usedSince = 0;
  }

  /** Gives up what is held, to be given back to the store. */
  release(): { readonly window: number; readonly taken: number } {
    const released = { window: this.#window, taken: this.#held };
    this.#taken = this.#taken === null ? null : this.#taken - this.#held;
    this.#held = 0;
    return released;
  }
}
