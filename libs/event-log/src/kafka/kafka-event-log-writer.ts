import { DomainError } from '@posthorn/models';
import { sleep, type Clock, type Logger, type Metrics } from '@posthorn/runtime';
import { CompressionTypes, type Message, type PartitionerArgs, type Producer } from 'kafkajs';
import type { EventLogWriter } from '../event-log.ts';
import { createAppendQueues, type AppendLimits, type AppendQueues } from './append-queues.ts';
import { connectKafka, kafkaRetry, type KafkaConnectionOptions } from './kafka-connection.ts';
import { kafkaError } from './kafka-errors.ts';
import { bytesOf, keyOf, messageOf } from './kafka-message.ts';
import { standardStartPatienceMs, waitForTopic } from './kafka-start.ts';
import type { KafkaTopicOptions } from './kafka-topic.ts';
import { partitionOf } from './partition-of.ts';
import { writerMetrics } from './writer-metrics.ts';

/**
 * Appends events to a topic. An event is acknowledged when all in-sync replicas have it.
 *
 * Guaranteed: nothing that was acknowledged is missing, and within a key the order is that of appending. A send goes to one
 * partition, and a partition has one send under way at a time: kafkajs's idempotent producer, and sends that span partitions,
 * were seen to lose acknowledged events (docs/decisions/0017). So a partition without a leader stalls itself only.
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
export type KafkaWriterLimits = AppendLimits;

const standardLimits: KafkaWriterLimits = {
  maxWaiting: 5000,
  maxWaitingBytes: 8 * 1024 * 1024,
  maxEvents: 500,
  maxBytes: 768 * 1024,
  deadlineMs: 10_000,
};
/** How long a send that nobody waits for any more may keep `stop` from closing the connections. */
const lastSendMs = 3000;

export function createKafkaEventLogWriter(options: KafkaEventLogWriterOptions): KafkaEventLogWriter {
  const { connection, topic, clock, logger } = options;
  const limits = { ...standardLimits, ...options.limits };
  const compression = options.compression === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None;
  const producer = connectKafka(connection, logger).producer({
    idempotent: false,
    allowAutoTopicCreation: false,
    retry: kafkaRetry,
    // A partitioner of ours has the last word in kafkajs, also over the partition that a message names.
    createPartitioner: () => partitionOfMessage,
  });
  const metrics = writerMetrics(options.metrics, () => queues?.waiting ?? 0);
  let partitions = 0;
  let queues: AppendQueues<Message> | undefined;
  let stopped = false;

  async function send(partition: number, messages: readonly Message[]): Promise<void> {
    const answers = await producer.send({
      topic: topic.name,
      acks: -1,
      timeout: limits.deadlineMs,
      compression,
      messages: [...messages],
    });
    // One partition was written to, so one has to be acknowledged.
    const [acknowledged] = answers;
    if (answers.length !== 1 || acknowledged?.partition !== partition || acknowledged.errorCode !== 0) {
      throw new DomainError('unavailable', 'Kafka acknowledged something else than what was sent.');
    }
  }

  return {
    append(event) {
      if (queues === undefined || stopped) {
        return Promise.reject(new DomainError('unavailable', 'The log is closed.'));
      }
      const key = keyOf(event);
      const partition = partitionOf(key, partitions);
      return queues.append(partition, messageOf(event, key, partition));
    },
    drain: () => queues?.drain() ?? Promise.resolve(),
    async start() {
      const patienceMs = options.startPatienceMs ?? standardStartPatienceMs;
      partitions = await waitForTopic({ connection, topic, clock, logger, patienceMs });
      await connect(producer);
      queues = createAppendQueues({ partitions, bytesOf, send, limits, clock, metrics });
      logger.info({ topic: topic.name, partitions }, 'appending to the log');
    },
    async stop() {
      stopped = true;
      await queues?.drain();
      const sends = queues?.settled() ?? Promise.resolve();
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
