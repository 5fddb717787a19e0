import type { DomainError } from '@posthorn/models';
import { sleep, type Clock, type Logger } from '@posthorn/runtime';
import { connectKafka, type KafkaConnectionOptions } from './kafka-connection.ts';
import { kafkaError } from './kafka-errors.ts';
import { prepareTopic, type KafkaTopicOptions } from './kafka-topic.ts';

export interface KafkaStartOptions {
  readonly connection: KafkaConnectionOptions;
  readonly topic: KafkaTopicOptions;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long Kafka may be away at start before that is an error. Services start in any order. */
  readonly patienceMs: number;
}

export const standardStartPatienceMs = 60_000;
const retryMs = 1000;

/**
 * Waits until Kafka is there and the topic is as it has to be; answers its number of partitions. What waiting can't mend
 * (credentials, certificates, rights, a weak topic) is thrown at once.
 */
export async function waitForTopic(options: KafkaStartOptions): Promise<number> {
  const { connection, topic, clock, logger, patienceMs } = options;
  const kafka = connectKafka(connection, logger, 1);
  const giveUpAt = clock.monotonic() + patienceMs;
  for (;;) {
    const admin = kafka.admin();
    let failure: DomainError;
    try {
      await admin.connect();
      return await prepareTopic(admin, topic, logger);
    } catch (error) {
      failure = kafkaError(error, `The log (topic "${topic.name}") can't be opened`);
    } finally {
      await admin.disconnect();
    }
    if (failure.code !== 'unavailable' || clock.monotonic() >= giveUpAt) throw failure;
    logger.warn({ err: failure }, 'Kafka is away; trying again');
    await sleep(clock, retryMs);
  }
}
