/** The suites that start the platform as a process of its own: minutes rather than seconds. */
import quick from './jest.config.js';

export default {
  ...quick,
  roots: ['<rootDir>/apps/e2e'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  testTimeout: 180_000,
  // Each of them takes the whole machine.
  maxWorkers: 1,
};
