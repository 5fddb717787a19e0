import type { Logger } from '@posthorn/runtime';
import { Kafka, logLevel, type SASLOptions } from 'kafkajs';
import { kafkaLogLines } from './kafka-log-lines.ts';
import { repairKafkajs } from './kafkajs-repairs.ts';

/** How Kafka is reached, by the writer and by the reader. */
export interface KafkaConnectionOptions {
  /** `host:port`, one or more to begin with; the others are learnt from them. */
  readonly brokers: readonly string[];
  /** Names this process in the brokers' logs and quotas. */
  readonly clientId: string;
  /** Absent: without TLS. */
  readonly tls?: KafkaTlsOptions | undefined;
  /** Absent: without authentication, or by the certificate that `tls` shows. */
  readonly sasl?: KafkaSaslOptions | undefined;
}

/** In PEM. */
export interface KafkaTlsOptions {
  /** Who is trusted to have signed the brokers' certificates; those that Node trusts when absent. */
  readonly ca?: string | undefined;
  /** The client's own certificate with its key, where the brokers ask for one. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export const kafkaSaslMechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;

export interface KafkaSaslOptions {
  readonly mechanism: (typeof kafkaSaslMechanisms)[number];
  readonly username: string;
  readonly password: string;
}

/** Every wait within kafkajs: soon at first, then each second, for about five seconds. What lasts longer is our business. */
export const kafkaRetry = {
  initialRetryTime: 100,
  maxRetryTime: 1000,
  multiplier: 2,
  factor: 0.2,
  retries: 8,
};

/** `retries`: how often kafkajs tries before it says that something is wrong; for those who try again themselves, few. */
export function connectKafka(
  options: KafkaConnectionOptions,
  logger: Logger,
  retries = kafkaRetry.retries,
): Kafka {
  const { brokers, clientId, tls, sasl } = options;
  repairKafkajs();
  return new Kafka({
    brokers: [...brokers],
    clientId,
    connectionTimeout: 3000,
    authenticationTimeout: 5000,
    requestTimeout: 10_000,
    retry: { ...kafkaRetry, retries },
    logLevel: logLevel.INFO,
    logCreator: kafkaLogLines(logger),
    ...(tls && {
      ssl: {
        ...(tls.ca !== undefined && { ca: tls.ca }),
        ...(tls.cert !== undefined && { cert: tls.cert }),
        ...(tls.key !== undefined && { key: tls.key }),
      },
    }),
    ...(sasl && { sasl: saslOptions(sasl) }),
  });
}

function saslOptions({ mechanism, username, password }: KafkaSaslOptions): SASLOptions {
  switch (mechanism) {
    case 'plain':
      return { mechanism, username, password };
    case 'scram-sha-256':
      return { mechanism, username, password };
    case 'scram-sha-512':
      return { mechanism, username, password };
  }
}
