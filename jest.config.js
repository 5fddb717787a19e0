/**
 * One configuration for all projects: swc transforms TypeScript to CommonJS, workspaces resolve to their sources.
 * The quick suite: everything but what needs a real Kafka or MongoDB (`jest.stack.config.js`) and apps/e2e
 * (`jest.e2e.config.js`).
 */
export default {
  // Fails a file whose tests leave a socket, a server, a timer or a process behind.
  testEnvironment: '<rootDir>/tools/src/jest/leak-environment.ts',
  testEnvironmentOptions: {
    customExportConditions: ['@posthorn/source', 'node', 'require', 'default'],
  },
  roots: ['<rootDir>/apps', '<rootDir>/bench', '<rootDir>/libs', '<rootDir>/tools'],
  testMatch: ['**/src/**/*.spec.ts', '<rootDir>/bench/**/*.spec.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '<rootDir>/apps/e2e/', '\\.stack\\.spec\\.ts$'],
  modulePathIgnorePatterns: ['/dist/'],
  transform: {
    '^.+\\.(ts|js)$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2024' },
        module: { type: 'commonjs' },
      },
    ],
  },
  transformIgnorePatterns: ['/node_modules/(?!(jose|standardwebhooks|@stablelib)/)'],
  testTimeout: 120_000,
  maxWorkers: 2,
  // Also makes jest use a worker process for a single file, which it ends when something was left open.
  workerIdleMemoryLimit: '1GB',
};
