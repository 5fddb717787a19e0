import { DomainError } from '@posthorn/models';
import {
  createBatcher,
  sleep,
  type Batcher,
  type Clock,
  type Logger,
  type Metrics,
  type Settled,
  type Timer,
} from '@posthorn/runtime';
import { CompressionTypes, type Message, type PartitionerArgs, type Producer } from 'kafkajs';
import type { Appended, EventLogWriter } from '../event-log.ts';
import { connectKafka, kafkaRetry, type KafkaConnectionOptions } from './kafka-connection.ts';
import { isTooLarge, kafkaError } from './kafka-errors.ts';
import { keyOf, messageOf } from './kafka-message.ts';
import { standardStartPatienceMs, waitForTopic } from './kafka-start.ts';
import type { KafkaTopicOptions } from './kafka-topic.ts';
import { partitionOf } from './partition-of.ts';

/**
 * Appends events to a topic. An event is acknowledged when all in-sync replicas have it.
 *
 * Guaranteed: nothing that was acknowledged is missing, and within a key the order is that of appending. A send goes to one
 * partition, and a partition has one send under way at a time, while what comes next collects: kafkajs's idempotent producer,
 * and sends that span partitions, were seen to lose acknowledged events. So a partition without a leader stalls itself only.
 * Not guaranteed: that an event stands in the log once. After a broken connection a send is repeated; readers know events
 * by their id.
 */
export interface KafkaEventLogWriter extends EventLogWriter {
  /** Waits for Kafka and looks at the topic. `failed_precondition` when the topic or our credentials won't do. */
  start(): Promise<void>;
  /** Lets what was appended end, within its deadline, and closes the connections. */
  stop(): Promise<void>;
}

export interface KafkaEventLogWriterOptions {
  readonly connection: KafkaConnectionOptions;
  readonly topic: KafkaTopicOptions;
  /** `none` when absent. */
  readonly compression?: KafkaCompression;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly limits?: Partial<KafkaWriterLimits>;
  /** How long Kafka may be away at start; a minute when absent. */
  readonly startPatienceMs?: number;
}

export const kafkaCompressions = ['none', 'gzip'] as const;
export type KafkaCompression = (typeof kafkaCompressions)[number];

export interface KafkaWriterLimits {
  /** Of one partition, waiting for the send under way: one more is refused at once. */
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
  /** Of one send. */
  readonly maxEvents: number;
  readonly maxBytes: number;
  /** After this an event that isn't acknowledged is answered as `unavailable`: not known. */
  readonly deadlineMs: number;
}

const standardLimits: KafkaWriterLimits = {
  maxWaiting: 5000,
  maxWaitingBytes: 8 * 1024 * 1024,
  maxEvents: 500,
  maxBytes: 768 * 1024,
  deadlineMs: 10_000,
};
const lookForDeadlinesMs = 250;
const retryAfterMs = 1000;
/** How long a send that nobody waits for any more may keep `stop` from closing the connections. */
const lastSendMs = 3000;
const notDuplicate: Appended = { duplicate: false };

interface Entry {
  readonly message: Message;
  readonly bytes: number;
  readonly deadlineAt: number;
  answered: boolean;
  readonly reject: (error: DomainError) => void;
}

export function createKafkaEventLogWriter(options: KafkaEventLogWriterOptions): KafkaEventLogWriter {
  const { topic, clock, logger } = options;
  const limits = { ...standardLimits, ...options.limits };
  const compression = options.compression === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None;
  const kafka = connectKafka(options.connection, logger);
  const producer = kafka.producer({
    idempotent: false,
    allowAutoTopicCreation: false,
    retry: kafkaRetry,
    // A partitioner of ours has the last word in kafkajs, also over the partition that a message names.
    createPartitioner: () => partitionOfMessage,
  });
  const metrics = writerMetrics(options.metrics, () => waiting.size);

  /** By partition; empty while not started. */
  let partitions: Batcher<Entry, Appended>[] = [];
  let stopped = false;
  /** Everything that wasn't answered yet, oldest first. */
  const waiting = new Set<Entry>();
  let drained: (() => void)[] = [];
  let deadlines: Timer | undefined;

  function append(...[event]: Parameters<EventLogWriter['append']>): Promise<Appended> {
    if (partitions.length === 0 || stopped) {
      return Promise.reject(unavailable('The log is closed.'));
    }
    const key = keyOf(event);
    const partition = partitionOf(key, partitions.length);
    const batcher = partitions[partition] as Batcher<Entry, Appended>;
    const message = messageOf(event, key, partition);
    const queuedAt = clock.monotonic();
    return new Promise((resolve, reject) => {
      const entry: Entry = {
        message,
        bytes: message.value.length + key.length + event.type.length + 64,
        deadlineAt: queuedAt + limits.deadlineMs,
        answered: false,
        reject: (error) => answer(entry, () => reject(error)),
      };
      waiting.add(entry);
      watchDeadlines();
      batcher.submit(entry).then(
        (appended) =>
          answer(entry, () => {
            metrics.appended((clock.monotonic() - queuedAt) / 1000);
            resolve(appended);
          }),
        (error: unknown) => {
          if (!entry.answered) metrics.refused(error instanceof DomainError ? error.code : 'internal');
          entry.reject(kafkaError(error, 'The event could not be appended'));
        },
      );
    });
  }

  function answer(entry: Entry, how: () => void): void {
    if (entry.answered) return;
    entry.answered = true;
    waiting.delete(entry);
    how();
    if (waiting.size > 0) return;
    const listeners = drained;
    drained = [];
    for (const listener of listeners) listener();
  }

  /** Whoever waits is answered in time, also while a send is stuck; what isn't being sent yet is then not sent at all. */
  function watchDeadlines(): void {
    deadlines ??= clock.setTimeout(() => {
      deadlines = undefined;
      const now = clock.monotonic();
      for (const entry of waiting) {
        if (entry.deadlineAt > now) break;
        metrics.refused('deadline_exceeded');
        entry.reject(unavailable('The log did not acknowledge the event in time.'));
      }
      if (waiting.size > 0) watchDeadlines();
    }, lookForDeadlinesMs);
  }

  async function run(partition: number, group: readonly Entry[]): Promise<readonly Settled<Appended>[]> {
    const entries = group.filter(({ answered }) => !answered);
    const failures = new Map<Entry, unknown>();
    if (entries.length > 0) {
      try {
        await send(partition, entries);
      } catch (error) {
        if (!isTooLarge(error)) throw error;
        for (const entry of entries) {
          await send(partition, [entry]).catch((failure: unknown) =>
            failures.set(entry, isTooLarge(failure) ? tooLarge(entry, failure) : failure),
          );
        }
      }
    }
    return group.map((entry) =>
      failures.has(entry) ? { ok: false, error: failures.get(entry) } : { ok: true, value: notDuplicate },
    );
  }

  async function send(partition: number, entries: readonly Entry[]): Promise<void> {
    const startedAt = clock.monotonic();
    const answers = await producer.send({
      topic: topic.name,
      acks: -1,
      timeout: limits.deadlineMs,
      compression,
      messages: entries.map(({ message }) => message),
    });
    // One partition was written to, so one has to be acknowledged.
    const [acknowledged] = answers;
    if (answers.length !== 1 || acknowledged?.partition !== partition || acknowledged.errorCode !== 0) {
      throw unavailable('Kafka acknowledged something else than what was sent.');
    }
    metrics.sent((clock.monotonic() - startedAt) / 1000, entries.length);
  }

  return {
    append,
    drain: () => (waiting.size === 0 ? Promise.resolve() : new Promise((resolve) => drained.push(resolve))),
    async start() {
      const patienceMs = options.startPatienceMs ?? standardStartPatienceMs;
      const count = await waitForTopic({ connection: options.connection, topic, clock, logger, patienceMs });
      await connect(producer);
      partitions = Array.from({ length: count }, (_, partition) =>
        createBatcher({
          maxItems: limits.maxEvents,
          maxBytes: limits.maxBytes,
          maxWaiting: limits.maxWaiting,
          maxWaitingBytes: limits.maxWaitingBytes,
          sizeOf: ({ bytes }) => bytes,
          run: (group) => run(partition, group),
        }),
      );
      logger.info({ topic: topic.name, partitions: count }, 'appending to the log');
    },
    async stop() {
      stopped = true;
      await this.drain();
      clock.clearTimeout(deadlines);
      const sends = Promise.all(partitions.map((batcher) => batcher.drain()));
      const patience = new AbortController();
      await Promise.race([sends, sleep(clock, lastSendMs, patience.signal)]);
      patience.abort();
      await producer.disconnect();
      // A send that outlasts this opens its connection again for its next try.
      void sends.then(() => producer.disconnect());
    },
  };
}

function partitionOfMessage({ message }: PartitionerArgs): number {
  if (message.partition === undefined) throw new Error('a message names no partition');
  return message.partition;
}

async function connect(producer: Producer): Promise<void> {
  try {
    await producer.connect();
  } catch (error) {
    throw kafkaError(error, "Kafka can't be written to");
  }
}

function unavailable(message: string): DomainError {
  return new DomainError('unavailable', message, { retryAfterMs });
}

function tooLarge({ bytes }: Entry, cause: unknown): DomainError {
  const message = `The event takes ${bytes} bytes in the log, more than its topic allows.`;
  return new DomainError('payload_too_large', message, { cause });
}

function writerMetrics(metrics: Metrics, waiting: () => number) {
  const acknowledged = metrics.histogram({
    name: 'posthorn_log_append_seconds',
    help: 'From appending an event to its acknowledgement by the log.',
  });
  const sends = metrics.histogram({
    name: 'posthorn_log_send_seconds',
    help: 'One send of a group of events to one partition.',
  });
  const groups = metrics.histogram({
    name: 'posthorn_log_send_events',
    help: 'Events of one send.',
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500],
  });
  const refusals = metrics.counter({
    name: 'posthorn_log_append_failures_total',
    help: 'Events that were not acknowledged, by code.',
    labels: ['code'],
  });
  metrics.gauge({
    name: 'posthorn_log_appending_events',
    help: 'Events that wait for their acknowledgement by the log.',
    collect: (gauge) => gauge.set(waiting()),
  });
  return {
    appended: (seconds: number) => acknowledged.observe(seconds),
    sent(seconds: number, events: number) {
      sends.observe(seconds);
      groups.observe(events);
    },
    refused: (code: string) => refusals.inc({ code }),
  };
}
