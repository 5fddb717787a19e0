import { DomainError } from '@posthorn/models';
import { createBatcher, type Clock, type Settled, type Timer } from '@posthorn/runtime';
import type { Appended } from '../event-log.ts';
import { isTooLarge, kafkaError } from './kafka-errors.ts';
import type { WriterMetrics } from './writer-metrics.ts';

/**
 * A queue for each partition, bounded in events and in bytes, with one send under way; what comes meanwhile collects for
 * the next. Partitions know nothing of each other: one that is stuck fills its own queue only.
 *
 * Guaranteed: messages of a partition are sent in the order of appending, never two sends of it at a time, and whoever waits
 * is answered by the deadline. Not guaranteed: that what was answered as `unavailable` isn't written after all.
 */
export interface AppendQueues<M> {
  append(partition: number, message: M): Promise<Appended>;
  /** How many have no answer yet. */
  readonly waiting: number;
  /** Resolves when everybody who waits is answered, which the deadline bounds. */
  drain(): Promise<void>;
  /** Resolves when no send is under way, those that nobody waits for any more included. */
  settled(): Promise<void>;
}

export interface AppendQueuesOptions<M> {
  readonly partitions: number;
  readonly bytesOf: (message: M) => number;
  /** Resolves when all of them are durable in the partition. */
  readonly send: (partition: number, messages: readonly M[]) => Promise<void>;
  readonly limits: AppendLimits;
  readonly clock: Clock;
  readonly metrics: WriterMetrics;
}

export interface AppendLimits {
  /** Of one partition, waiting for the send under way: one more is refused at once. */
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
  /** Of one send. */
  readonly maxEvents: number;
  readonly maxBytes: number;
  /** After this an event that isn't acknowledged is answered as `unavailable`: not known. */
  readonly deadlineMs: number;
}

/** How much later than the deadline an answer may be. */
const lookForDeadlinesMs = 250;
const retryAfterMs = 1000;
const acknowledged: Settled<Appended> = { ok: true, value: { duplicate: false } };

interface Entry<M> {
  readonly message: M;
  readonly bytes: number;
  readonly deadlineAt: number;
  isAnswered: boolean;
  readonly reject: (error: DomainError) => void;
}

export function createAppendQueues<M>(options: AppendQueuesOptions<M>): AppendQueues<M> {
  const { send, bytesOf, limits, clock, metrics } = options;
  /** Everything that wasn't answered yet, oldest first. */
  const waiting = new Set<Entry<M>>();
  const drained: (() => void)[] = [];
  let deadlines: Timer | undefined;

  const queues = Array.from({ length: options.partitions }, (_, partition) =>
    createBatcher<Entry<M>, Appended>({
      maxItems: limits.maxEvents,
      maxBytes: limits.maxBytes,
      maxWaiting: limits.maxWaiting,
      maxWaitingBytes: limits.maxWaitingBytes,
      sizeOf: ({ bytes }) => bytes,
      run: (group) => run(partition, group),
    }),
  );

  async function append(partition: number, message: M): Promise<Appended> {
    const queue = queues[partition];
    if (queue === undefined) throw new Error(`there is no partition ${partition}`);
    const queuedAt = clock.monotonic();
    return new Promise((resolve, reject) => {
      const entry: Entry<M> = {
        message,
        bytes: bytesOf(message),
        deadlineAt: queuedAt + limits.deadlineMs,
        isAnswered: false,
        reject: (error) =>
          answer(entry, () => {
            metrics.refused(error.code);
            reject(error);
          }),
      };
      waiting.add(entry);
      watchDeadlines();
      queue.submit(entry).then(
        (appended) =>
          answer(entry, () => {
            metrics.appended((clock.monotonic() - queuedAt) / 1000);
            resolve(appended);
          }),
        (error: unknown) => entry.reject(kafkaError(error, 'The event could not be appended')),
      );
    });
  }

  function answer(entry: Entry<M>, how: () => void): void {
    if (entry.isAnswered) return;
    entry.isAnswered = true;
    waiting.delete(entry);
    how();
    if (waiting.size > 0) return;
    clock.clearTimeout(deadlines);
    deadlines = undefined;
    for (const listener of drained.splice(0)) listener();
  }

  /** Whoever waits is answered in time, also while a send is stuck; what isn't being sent yet is then not sent at all. */
  function watchDeadlines(): void {
    deadlines ??= clock.setTimeout(() => {
      deadlines = undefined;
      const now = clock.monotonic();
      for (const entry of waiting) {
        if (entry.deadlineAt > now) break;
        entry.reject(unavailable('The log did not acknowledge the event in time.'));
      }
      if (waiting.size > 0) watchDeadlines();
    }, lookForDeadlinesMs);
  }

  async function run(partition: number, group: readonly Entry<M>[]): Promise<readonly Settled<Appended>[]> {
    const wanted = group.filter(({ isAnswered }) => !isAnswered);
    const failures = wanted.length === 0 ? noFailures : await sendAll(partition, wanted);
    return group.map((entry) => failures.get(entry) ?? acknowledged);
  }

  /** A group that is too large as a whole is sent one by one: only what is too large by itself fails. */
  async function sendAll(
    partition: number,
    entries: readonly Entry<M>[],
  ): Promise<ReadonlyMap<object, Settled<Appended>>> {
    try {
      await sendGroup(partition, entries);
      return noFailures;
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      const [only, another] = entries;
      if (only !== undefined && another === undefined) {
        return new Map([[only, { ok: false, error: tooLarge(only.bytes, error) }]]);
      }
    }
    const failures = new Map<object, Settled<Appended>>();
    for (const entry of entries) {
      try {
        for (const [failed, failure] of await sendAll(partition, [entry])) failures.set(failed, failure);
      } catch (error) {
        failures.set(entry, { ok: false, error });
      }
    }
    return failures;
  }

  async function sendGroup(partition: number, entries: readonly Entry<M>[]): Promise<void> {
    const startedAt = clock.monotonic();
    await send(
      partition,
      entries.map(({ message }) => message),
    );
    metrics.sent((clock.monotonic() - startedAt) / 1000, entries.length);
  }

  return {
    append,
    get waiting() {
      return waiting.size;
    },
    drain: () => (waiting.size === 0 ? Promise.resolve() : new Promise((resolve) => drained.push(resolve))),
    settled: async () => void (await Promise.all(queues.map((queue) => queue.drain()))),
  };
}

const noFailures: ReadonlyMap<object, Settled<Appended>> = new Map();

function unavailable(message: string): DomainError {
  return new DomainError('unavailable', message, { retryAfterMs });
}

function tooLarge(bytes: number, cause: unknown): DomainError {
  const message = `The event takes ${bytes} bytes in the log, more than its topic allows.`;
  return new DomainError('payload_too_large', message, { cause });
}
