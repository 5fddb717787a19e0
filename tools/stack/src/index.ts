export { kafkaBrokersVariable, mongodbUrlVariable } from './config.ts';
export { withoutPassword } from './given-server.ts';
export { asImageEnvironment, kafkaSettings } from './kafka-settings.ts';
export * from './kafka.ts';
export * from './mongodb.ts';
export * from './process-state.ts';
export * from './progress.ts';
export * from './test-server.ts';
