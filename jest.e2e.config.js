/** The suites that start the platform as a process of its own, with nothing beside it: minutes rather than seconds. */
import quick from './jest.config.js';

export default {
  ...quick,
  roots: ['<rootDir>/apps/e2e'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '<rootDir>/apps/e2e/src/stack/'],
  testTimeout: 180_000,
  // Each of them takes the whole machine.
  maxWorkers: 1,
};
