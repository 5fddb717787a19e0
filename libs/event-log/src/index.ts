export * from './event-log.ts';
export {
  kafkaSaslMechanisms,
  type KafkaConnectionOptions,
  type KafkaSaslOptions,
  type KafkaTlsOptions,
} from './kafka/kafka-connection.ts';
export {
  createKafkaEventLogReader,
  type KafkaEventLogReaderOptions,
  type KafkaReaderLimits,
} from './kafka/kafka-event-log-reader.ts';
export {
  createKafkaEventLogWriter,
  kafkaCompressions,
  type KafkaCompression,
  type KafkaEventLogWriter,
  type KafkaEventLogWriterOptions,
  type KafkaWriterLimits,
} from './kafka/kafka-event-log-writer.ts';
export { checkKafka, eventSizeProblems, kafkaProblems, kafkaSettingsOf } from './kafka/kafka-settings.ts';
export { defaultKafkaTopic, type KafkaTopicOptions, type NewKafkaTopic } from './kafka/kafka-topic.ts';
export * from './sqlite-event-log.ts';
