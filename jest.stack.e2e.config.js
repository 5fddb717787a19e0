/** The suites that start all services over a Kafka and a MongoDB of their own, which they kill (`tools/stack`). */
import endToEnd from './jest.e2e.config.js';

export default {
  ...endToEnd,
  testMatch: ['<rootDir>/apps/e2e/src/stack/*.stack-e2e.spec.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  testTimeout: 300_000,
  // Each of them takes the whole machine.
  maxWorkers: 1,
};
