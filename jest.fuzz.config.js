/** The property tests of the quick suite with many more cases (`npm run fuzz`). */
import quick from './jest.config.js';

export default {
  ...quick,
  testMatch: ['**/src/**/*.prop.spec.ts'],
  moduleNameMapper: { '^fast-check$': '<rootDir>/tools/src/jest/fast-check-at-length.cjs' },
  // A million cases take what they take.
  testTimeout: 4 * 3_600_000,
};
