import { randomBytes } from 'node:crypto';
import { DomainError, type Event } from '@posthorn/models';
import { createMetrics, silentLogger, systemClock, type Logger } from '@posthorn/runtime';
import type { EventLogReader, EventLogWriter } from '../event-log.ts';
import type { KafkaConnectionOptions } from './kafka-connection.ts';
import { createKafkaEventLogReader, type KafkaReaderLimits } from './kafka-event-log-reader.ts';
import {
  createKafkaEventLogWriter,
  type KafkaCompression,
  type KafkaEventLogWriter,
  type KafkaWriterLimits,
} from './kafka-event-log-writer.ts';
import type { KafkaTopicOptions } from './kafka-topic.ts';

/** A topic of its own for a test, on the Kafka that it is given, with any number of writers and readers. */
export interface KafkaLogHarness {
  readonly topic: string;
  readonly groupId: string;
  writer(options?: WriterOptions): KafkaEventLogWriter;
  reader(options?: ReaderOptions): EventLogReader;
  /** Stops all writers and readers. */
  close(): Promise<void>;
}

interface WriterOptions {
  readonly compression?: KafkaCompression;
  readonly limits?: Partial<KafkaWriterLimits>;
  readonly logger?: Logger;
}

interface ReaderOptions {
  readonly limits?: Partial<KafkaReaderLimits>;
  readonly logger?: Logger;
  readonly groupId?: string;
}

export interface KafkaLogHarnessOptions {
  readonly brokers: readonly string[];
  readonly partitions?: number;
  readonly startPatienceMs?: number;
  readonly connection?: Partial<KafkaConnectionOptions>;
  readonly topic?: Partial<KafkaTopicOptions>;
}

export function createKafkaLogHarness(options: KafkaLogHarnessOptions): KafkaLogHarness {
  const name = `posthorn-test-${randomBytes(6).toString('hex')}`;
  const stops: (() => Promise<void>)[] = [];
  const connection = { brokers: options.brokers, clientId: name, ...options.connection };
  const topic = {
    name,
    create: {
      partitions: options.partitions ?? 1,
      replication: 1,
      minInsyncReplicas: 1,
      retentionMs: 604_800_000,
    },
    dangerouslyAllowWeak: true,
    ...options.topic,
  };
  const needs = {
    connection,
    topic,
    clock: systemClock,
    ...(options.startPatienceMs !== undefined && { startPatienceMs: options.startPatienceMs }),
  };

  return {
    topic: name,
    groupId: name,
    writer({ logger = silentLogger, ...over } = {}) {
      const writer = createKafkaEventLogWriter({ ...needs, ...over, logger, metrics: createMetrics() });
      stops.push(() => writer.stop());
      return writer;
    },
    reader({ logger = silentLogger, groupId = name, ...over } = {}) {
      const reader = createKafkaEventLogReader({
        ...needs,
        ...over,
        groupId,
        logger,
        metrics: createMetrics(),
      });
      stops.push(() => reader.stop());
      return reader;
    },
    async close() {
      await Promise.all(stops.map((stop) => stop()));
    },
  };
}

/** Appends like a producer that takes "not known" for what it is: again under the same id until it is acknowledged. */
export async function appendUntilAcknowledged(writer: EventLogWriter, event: Event): Promise<void> {
  for (;;) {
    try {
      await writer.append(event);
      return;
    } catch (error) {
      if (DomainError.from(error).code !== 'unavailable') throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
