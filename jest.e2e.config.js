/**
 * The suites that start the platform as a process of its own: minutes rather than seconds. Two run at a time, as they wait
 * more than they work: for processes to start, and for retries to be due.
 */
import quick from './jest.config.js';

export default {
  ...quick,
  roots: ['<rootDir>/apps/e2e'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '<rootDir>/apps/e2e/src/stack/'],
  testTimeout: 180_000,
};
