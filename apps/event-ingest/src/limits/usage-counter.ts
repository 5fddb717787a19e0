import type { Clock } from '@posthorn/runtime';
import { Allowance } from './allowance.ts';
import type { GuardedUsageStore } from './guarded-usage-store.ts';
import type { LimitKind } from './limit-kinds.ts';

/** Whose limit it is. */
export type LimitOwner = 'organisation' | 'key';

/** How long a counter is kept after the end of its window: clocks may differ, and what was taken may come back late. */
const keptMs = 24 * 60 * 60 * 1000;

/** One limit of one owner in this process: its allowance, and asking for more of it, once at a time for all who wait. */
export class UsageCounter {
  readonly kind: LimitKind;
  readonly owner: LimitOwner;
  /** The name of its policy in answers. */
  readonly name: string;
  readonly allowance: Allowance;
  readonly #counter: string;
  readonly #store: GuardedUsageStore;
  readonly #clock: Clock;
  /** What those need together who came within this turn of the loop. */
  #collected: { sum: number; least: number; readonly done: Promise<void> } | undefined;
  #underWay: Promise<void> | undefined;

  constructor(options: {
    readonly kind: LimitKind;
    readonly owner: LimitOwner;
    readonly ownerId: string;
    readonly store: GuardedUsageStore;
    readonly clock: Clock;
  }) {
    this.kind = options.kind;
    this.owner = options.owner;
    this.name = `${options.owner}-${options.kind.suffix}`;
    this.allowance = new Allowance(options.kind);
    this.#counter = `${options.owner}/${options.ownerId}/${options.kind.field}`;
    this.#store = options.store;
    this.#clock = options.clock;
  }

  /** Asks for more; resolves when there is an answer, which need not be enough. Rejects with `unavailable`. */
  ask(amount: number): Promise<void> {
    if (this.#underWay !== undefined) return this.#underWay;
    this.#collected ??= { sum: 0, least: Infinity, done: Promise.resolve().then(() => this.#send()) };
    this.#collected.sum += amount;
    this.#collected.least = Math.min(this.#collected.least, amount);
    return this.#collected.done;
  }

  /** Gives back what is held. */
  async release(): Promise<void> {
    if (this.allowance.held > 0) await this.#store.giveBack(this.#counter, this.allowance.release());
  }

  async #send(): Promise<void> {
    const needs = this.#collected;
    if (needs === undefined) return;
    this.#collected = undefined;
    this.#underWay = needs.done;
    try {
      const { limit, window } = this.allowance;
      const taken = await this.#store.take({
        counter: this.#counter,
        window,
        windowsAhead: this.kind.windowsAhead,
        limit,
        ...this.allowance.ask(needs, this.#clock.monotonic()),
        expiresAt: new Date((window + 1) * this.kind.windowMs + keptMs),
      });
      this.allowance.granted(taken, this.#clock.monotonic());
    } finally {
      this.#underWay = undefined;
    }
  }
}
