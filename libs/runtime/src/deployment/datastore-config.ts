/** Where MongoDB and Kafka are, and what the topic is like. */
import { boolean, choice, durationMs, integer, list, path, text } from '../config-parsers.ts';
import { configEntry } from '../config-reader.ts';

export const mongodbConfig = {
  mongodbUrl: configEntry({
    env: 'POSTHORN_MONGODB_URL',
    parser: text(),
    secret: true,
    description:
      'The connection string of MongoDB, `mongodb://…` or `mongodb+srv://…`, with user and password where they are needed. A replica set, so that what was accepted outlives a server.',
  }),
  mongodbDatabase: configEntry({
    env: 'POSTHORN_MONGODB_DATABASE',
    parser: text({ maxLength: 63 }),
    default: 'posthorn',
    description: 'The database. Each service has collections of its own in it and reads no others.',
  }),
  mongodbTlsCaFile: configEntry({
    env: 'POSTHORN_MONGODB_TLS_CA_FILE',
    parser: path,
    default: null,
    description: 'The authorities, in PEM, that the certificates of MongoDB come from. Means TLS.',
  }),
  mongodbTlsCertificateKeyFile: configEntry({
    env: 'POSTHORN_MONGODB_TLS_CERTIFICATE_KEY_FILE',
    parser: path,
    default: null,
    description: 'Our certificate and its key in one PEM file, where MongoDB asks for one.',
  }),
} as const;

const dayMs = 86_400_000;

export const kafkaConfig = {
  kafkaBrokers: configEntry({
    env: 'POSTHORN_KAFKA_BROKERS',
    parser: list(text({ maxLength: 255 })),
    description: 'Some brokers of Kafka, as `host:port`; the others are learnt from them.',
  }),
  kafkaTopic: configEntry({
    env: 'POSTHORN_KAFKA_TOPIC',
    parser: text({ maxLength: 249 }),
    default: 'posthorn.events',
    description: 'The topic that accepted events are in.',
  }),
  kafkaGroup: configEntry({
    env: 'POSTHORN_KAFKA_GROUP',
    parser: text({ maxLength: 249 }),
    default: 'posthorn.dispatcher',
    description: 'The consumer group of the dispatchers.',
  }),
  kafkaCreateTopic: configEntry({
    env: 'POSTHORN_KAFKA_CREATE_TOPIC',
    parser: boolean,
    default: true,
    description: 'Makes the topic at start when it is not there. A topic that is there is never changed.',
  }),
  kafkaTopicPartitions: configEntry({
    env: 'POSTHORN_KAFKA_TOPIC_PARTITIONS',
    parser: integer({ min: 1, max: 10_000 }),
    default: 12,
    description:
      'Partitions of a topic that is made: no more dispatchers than that have something to do. Changing it later moves ordering keys.',
  }),
  kafkaTopicReplication: configEntry({
    env: 'POSTHORN_KAFKA_TOPIC_REPLICATION',
    parser: integer({ min: 1, max: 15 }),
    default: 3,
    description: 'Replicas of a topic that is made.',
  }),
  kafkaTopicMinIsr: configEntry({
    env: 'POSTHORN_KAFKA_TOPIC_MIN_ISR',
    parser: integer({ min: 1, max: 15 }),
    default: 2,
    description: 'How many replicas of a topic that is made have an event before it counts as accepted.',
  }),
  kafkaTopicRetentionMs: configEntry({
    env: 'POSTHORN_KAFKA_TOPIC_RETENTION_MS',
    parser: durationMs({ min: 60_000, max: 3_650 * dayMs }),
    default: 7 * dayMs,
    description:
      'How long a topic that is made keeps events: as long as the dispatchers or MongoDB may be away.',
  }),
  allowWeakTopics: configEntry({
    env: 'POSTHORN_DANGEROUSLY_ALLOW_WEAK_TOPICS',
    parser: boolean,
    default: false,
    description:
      'Starts on a topic that may lose accepted events: retention under 7 days, fewer than 3 replicas, a single copy that counts as accepted, or unclean leader election. For trying things out.',
  }),
  kafkaCompression: configEntry({
    env: 'POSTHORN_KAFKA_COMPRESSION',
    parser: choice(['none', 'gzip']),
    default: 'none',
    description: 'How event-ingest compresses what it sends: less network and disk for more CPU.',
  }),
  kafkaTls: configEntry({
    env: 'POSTHORN_KAFKA_TLS',
    parser: boolean,
    default: false,
    description: 'Speaks TLS to the brokers, with the authorities that Node trusts unless there is a file.',
  }),
  kafkaTlsCaFile: configEntry({
    env: 'POSTHORN_KAFKA_TLS_CA_FILE',
    parser: path,
    default: null,
    description: 'The authorities, in PEM, that the certificates of the brokers come from. Means TLS.',
  }),
  kafkaTlsCertFile: configEntry({
    env: 'POSTHORN_KAFKA_TLS_CERT_FILE',
    parser: path,
    default: null,
    description: 'Our certificate in PEM, where the brokers ask for one. Means TLS.',
  }),
  kafkaTlsKeyFile: configEntry({
    env: 'POSTHORN_KAFKA_TLS_KEY_FILE',
    parser: path,
    default: null,
    description: 'The key of that certificate in PEM.',
  }),
  kafkaSaslMechanism: configEntry({
    env: 'POSTHORN_KAFKA_SASL_MECHANISM',
    parser: choice(['plain', 'scram-sha-256', 'scram-sha-512']),
    default: null,
    description: 'How we sign in to the brokers. Without it we do not.',
  }),
  kafkaUsername: configEntry({
    env: 'POSTHORN_KAFKA_USERNAME',
    parser: text(),
    default: null,
    description: 'The user of that.',
  }),
  kafkaPassword: configEntry({
    env: 'POSTHORN_KAFKA_PASSWORD',
    parser: text(),
    default: null,
    secret: true,
    description: 'The password of that.',
  }),
} as const;
