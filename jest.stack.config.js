/** The tests that need a real Kafka and a real MongoDB: one of each is started for the whole run (`tools/stack`). */
import quick from './jest.config.js';

export default {
  ...quick,
  globalSetup: '<rootDir>/tools/src/jest/start-stack.ts',
  globalTeardown: '<rootDir>/tools/src/jest/stop-stack.ts',
  testMatch: ['**/src/**/*.stack.spec.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '<rootDir>/apps/e2e/'],
  // Clients of real servers, asked to close, may be in the middle of a wait.
  testEnvironmentOptions: { ...quick.testEnvironmentOptions, leakGraceMs: 10_000 },
  testTimeout: 60_000,
};
