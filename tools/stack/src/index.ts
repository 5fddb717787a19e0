export { kafkaBrokersVariable, mongodbUrlVariable } from './config.ts';
export * from './kafka.ts';
export * from './mongodb.ts';
export * from './test-server.ts';
