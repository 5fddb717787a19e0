/** From the variables of a deployment to how Kafka is reached and what its topic is like. */
import { readFileSync } from 'node:fs';
import { DomainError } from '@posthorn/models';
import type { Clock, ConfigOf, ConfigProblem, Logger, kafkaConfig, payloadConfig } from '@posthorn/runtime';
import type { KafkaConnectionOptions, KafkaSaslOptions, KafkaTlsOptions } from './kafka-connection.ts';
import { waitForTopic } from './kafka-start.ts';
import type { KafkaTopicOptions } from './kafka-topic.ts';

type KafkaValues = ConfigOf<typeof kafkaConfig>;

/** The largest payload that fits into a message of a topic that is made here (4 MiB), with all else that an event has. */
const largestEventBytes = 3 * 2 ** 20;

/** What is wrong with the size of events; none when each fits into a message. */
export function eventSizeProblems({
  maxEventBytes,
}: ConfigOf<typeof payloadConfig>): readonly ConfigProblem[] {
  if (maxEventBytes <= largestEventBytes) return [];
  const message =
    'POSTHORN_MAX_EVENT_BYTES must be 3MiB or less with Kafka: a message of its topic is not larger.';
  return [{ variable: 'POSTHORN_MAX_EVENT_BYTES', message }];
}

/** What is wrong with the variables together; none when `kafkaSettingsOf` may be asked. */
export function kafkaProblems(values: KafkaValues): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const needed = (variable: string, because: string): void =>
    void problems.push({ variable, message: `${variable} must be set: ${because}.` });
  if (values.kafkaBrokers.length === 0) needed('POSTHORN_KAFKA_BROKERS', 'one broker at least, as host:port');
  if (values.kafkaSaslMechanism !== null) {
    if (values.kafkaUsername === null) needed('POSTHORN_KAFKA_USERNAME', 'the mechanism signs a user in');
    if (values.kafkaPassword === null) needed('POSTHORN_KAFKA_PASSWORD', 'the mechanism asks for it');
  } else if (values.kafkaUsername !== null || values.kafkaPassword !== null) {
    needed('POSTHORN_KAFKA_SASL_MECHANISM', 'user and password are of no use without it');
  }
  if ((values.kafkaTlsCertFile === null) !== (values.kafkaTlsKeyFile === null)) {
    const missing =
      values.kafkaTlsCertFile === null ? 'POSTHORN_KAFKA_TLS_CERT_FILE' : 'POSTHORN_KAFKA_TLS_KEY_FILE';
    needed(missing, 'certificate and key belong together');
  }
  if (values.kafkaTopicMinIsr > values.kafkaTopicReplication) {
    const message = `POSTHORN_KAFKA_TOPIC_MIN_ISR must not be more than POSTHORN_KAFKA_TOPIC_REPLICATION (${values.kafkaTopicReplication}): nothing could be written.`;
    problems.push({ variable: 'POSTHORN_KAFKA_TOPIC_MIN_ISR', message });
  }
  return problems;
}

/**
 * Looks once whether Kafka is there and the topic is as it has to be; makes it where that is asked for. `unavailable` when
 * Kafka is away, `failed_precondition` when waiting won't help.
 */
export async function checkKafka(options: {
  readonly connection: KafkaConnectionOptions;
  readonly topic: KafkaTopicOptions;
  readonly clock: Clock;
  readonly logger: Logger;
}): Promise<void> {
  await waitForTopic({ ...options, patienceMs: 0 });
}

/**
 * What the writer and the reader take. Certificates are read from their files: `failed_precondition` when one can't be.
 *
 * @param clientId names the process in the brokers' logs
 */
export function kafkaSettingsOf(
  values: KafkaValues,
  clientId: string,
): { readonly connection: KafkaConnectionOptions; readonly topic: KafkaTopicOptions } {
  return {
    connection: {
      brokers: values.kafkaBrokers,
      clientId,
      tls: tlsOf(values),
      sasl: saslOf(values),
    },
    topic: {
      name: values.kafkaTopic,
      create: values.kafkaCreateTopic
        ? {
            partitions: values.kafkaTopicPartitions,
            replication: values.kafkaTopicReplication,
            minInsyncReplicas: values.kafkaTopicMinIsr,
            retentionMs: values.kafkaTopicRetentionMs,
          }
        : undefined,
      dangerouslyAllowWeak: values.allowWeakTopics,
    },
  };
}

function tlsOf(values: KafkaValues): KafkaTlsOptions | undefined {
  const { kafkaTlsCaFile, kafkaTlsCertFile, kafkaTlsKeyFile } = values;
  const files = [kafkaTlsCaFile, kafkaTlsCertFile, kafkaTlsKeyFile];
  if (!values.kafkaTls && files.every((file) => file === null)) return undefined;
  const [ca, cert, key] = files.map((file) => (file === null ? undefined : readPem(file)));
  return { ca, cert, key };
}

function saslOf({
  kafkaSaslMechanism,
  kafkaUsername,
  kafkaPassword,
}: KafkaValues): KafkaSaslOptions | undefined {
  if (kafkaSaslMechanism === null || kafkaUsername === null || kafkaPassword === null) return undefined;
  return { mechanism: kafkaSaslMechanism, username: kafkaUsername, password: kafkaPassword };
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new DomainError('failed_precondition', `${path} can't be read (${code}).`, { cause: error });
  }
}
