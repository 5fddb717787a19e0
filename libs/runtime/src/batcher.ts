/**
 * The one batcher: callers await single results while the work is done in groups. One group is in flight while the next
 * collects, so a caller never waits for a timer: it waits for the group before its own, and under load groups grow by
 * themselves. Publishing, appending, recording and the group commit of SQLite all go through it.
 *
 * Guaranteed: items are run in the order in which they were submitted; each item is run exactly once; a group that fails
 * fails its own items only. Not guaranteed: that an item whose promise was rejected had no effect.
 */
import { DomainError } from '@posthorn/models';

/** What became of one item of a group. */
export type Settled<O> =
  { readonly ok: true; readonly value: O } | { readonly ok: false; readonly error: unknown };

/** How a batcher groups, what it bounds, and what it does with a group. */
export interface BatcherOptions<I, O> {
  /** The largest group. */
  readonly maxItems: number;
  /** The most that `sizeOf` may sum up to in a group; an item over it makes a group of its own. */
  readonly maxBytes?: number;
  /** Bytes of an item; needed for `maxBytes` and `maxWaitingBytes`. */
  readonly sizeOf?: (item: I) => number;
  /** How many items may wait for their group; one more is refused with `unavailable`. Unbounded when absent. */
  readonly maxWaiting?: number;
  /** How many bytes may wait for their group. */
  readonly maxWaitingBytes?: number;
  /** When to run the next group: by default after this turn of the event loop, so that what arrives in one turn rides together. */
  readonly schedule?: (run: () => void) => void;
  /** Does the work: one result for each item, in their order. A rejection is the result of every item of the group. */
  readonly run: (items: readonly I[]) => Promise<readonly Settled<O>[]> | readonly Settled<O>[];
}

/** See `createBatcher`. */
export interface Batcher<I, O> {
  /** Settles as the item's own result says. Rejects with `unavailable` when too much is waiting. */
  submit(item: I): Promise<O>;
  /** Resolves once nothing is waiting or in flight; what is submitted meanwhile is waited for too. Never rejects. */
  drain(): Promise<void>;
  /** How many items wait for their group, the one in flight not counted. */
  readonly waiting: number;
}

interface Entry<I, O> {
  readonly item: I;
  readonly size: number;
  readonly resolve: (value: O) => void;
  readonly reject: (error: unknown) => void;
}

/** Makes a batcher; it holds no timer and needs no closing. */
export function createBatcher<I, O>(options: BatcherOptions<I, O>): Batcher<I, O> {
  const { maxItems, sizeOf, run } = options;
  const maxBytes = options.maxBytes ?? Infinity;
  const maxWaiting = options.maxWaiting ?? Infinity;
  const maxWaitingBytes = options.maxWaitingBytes ?? Infinity;
  const schedule = options.schedule ?? ((fn) => void setImmediate(fn));

  let waiting: Entry<I, O>[] = [];
  let waitingBytes = 0;
  /** A group is in flight, or the next one is scheduled. */
  let busy = false;
  let idleListeners: (() => void)[] = [];

  function submit(item: I): Promise<O> {
    const size = sizeOf === undefined ? 0 : sizeOf(item);
    // An item larger than the whole bound still passes when it is alone: it would never pass otherwise.
    const full =
      waiting.length >= maxWaiting || (waiting.length > 0 && waitingBytes + size > maxWaitingBytes);
    if (full) return Promise.reject(new DomainError('unavailable', 'Too much is waiting; try again soon.'));
    return new Promise((resolve, reject) => {
      waiting.push({ item, size, resolve, reject });
      waitingBytes += size;
      if (!busy) {
        busy = true;
        schedule(runGroup);
      }
    });
  }

  function takeGroup(): Entry<I, O>[] {
    let count = 0;
    let bytes = 0;
    for (const entry of waiting) {
      if (count === maxItems || (count > 0 && bytes + entry.size > maxBytes)) break;
      bytes += entry.size;
      count++;
    }
    const group = count === waiting.length ? waiting : waiting.slice(0, count);
    waiting = count === waiting.length ? [] : waiting.slice(count);
    waitingBytes -= bytes;
    return group;
  }

  function runGroup(): void {
    const group = takeGroup();
    const settle = (results: readonly Settled<O>[]): void => {
      settleGroup(group, results);
      next();
    };
    const fail = (error: unknown): void => {
      for (const entry of group) entry.reject(error);
      next();
    };
    try {
      const results = run(group.map((entry) => entry.item));
      if ('then' in results) results.then(settle, fail);
      else settle(results);
    } catch (error) {
      fail(error);
    }
  }

  function next(): void {
    if (waiting.length > 0) {
      // Through the schedule again, not at once: a loop of groups must leave turns to everyone else.
      schedule(runGroup);
      return;
    }
    busy = false;
    const listeners = idleListeners;
    idleListeners = [];
    for (const listener of listeners) listener();
  }

  return {
    submit,
    drain: () => (busy ? new Promise((resolve) => idleListeners.push(resolve)) : Promise.resolve()),
    get waiting() {
      return waiting.length;
    },
  };
}

function settleGroup<I, O>(group: readonly Entry<I, O>[], results: readonly Settled<O>[]): void {
  group.forEach((entry, index) => {
    const result = results[index];
    if (result === undefined) entry.reject(new Error('The batch answered with fewer results than items.'));
    else if (result.ok) entry.resolve(result.value);
    else entry.reject(result.error);
  });
}
