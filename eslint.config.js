/**
 * What a linter can check of the architecture and of the style, for every project.
 *
 * Lint through nx (`npm run lint`): without a cached project graph `@nx/enforce-module-boundaries` checks nothing and
 * says nothing. That the rules find what they are there for is tested by `tools/src/canary`.
 * What it can't check (cycles, node built-ins, orphans) is in `.dependency-cruiser.js`.
 */
import eslint from '@eslint/js';
import comments from '@eslint-community/eslint-plugin-eslint-comments/configs';
import nx from '@nx/eslint-plugin';
import jest from 'eslint-plugin-jest';
import tseslint from 'typescript-eslint';

/** Tests, the suites that adapters share, and what tests are set up with. */
const SPECS = ['**/*.spec.ts', '**/*.contract.ts', '**/*.harness.ts'];
/** Programs that stand outside of the platform: they may read the environment, print, and look at the clock. */
const PROGRAMS = ['tools/**/*.ts', 'bench/**/*.ts', 'apps/e2e/**/*.ts'];

/**
 * Who may depend on whom. `testing` is for specs, which dependency-cruiser checks; `models` and `runtime` can't use
 * it, because it is built on them. `stack` is for tests with real servers only, which dependency-cruiser checks too.
 */
const DEPENDENCIES = {
  models: [],
  signing: ['models', 'testing'],
  contracts: ['models', 'testing'],
  runtime: ['models'],
  rpc: ['models', 'runtime', 'contracts', 'testing'],
  sqlite: ['models', 'runtime', 'testing'],
  mongo: ['models', 'runtime', 'testing', 'stack'],
  'event-log': ['models', 'runtime', 'contracts', 'sqlite', 'testing', 'stack'],
  testing: ['models', 'runtime'],
  config: ['models', 'runtime', 'contracts', 'rpc', 'signing', 'sqlite', 'mongo', 'testing', 'stack'],
  'event-ingest': [
    'models',
    'runtime',
    'contracts',
    'rpc',
    'sqlite',
    'mongo',
    'event-log',
    'testing',
    'stack',
  ],
  dispatcher: [
    'models',
    'runtime',
    'contracts',
    'rpc',
    'signing',
    'sqlite',
    'mongo',
    'event-log',
    'testing',
    'stack',
  ],
  gateway: ['models', 'runtime', 'contracts', 'rpc', 'signing', 'testing'],
  stack: ['rpc', 'testing'],
  tools: ['stack'],
  bench: ['mongo', 'runtime', 'stack'],
};

/** Packages that one project wraps for all others, so that replacing one of them touches one folder. */
const WRAPPED = [
  { modules: ['@grpc/grpc-js', '@grpc/reflection', 'grpc-health-check'], owner: 'libs/rpc' },
  { modules: ['kafkajs'], owner: 'libs/event-log' },
  { modules: ['node:sqlite'], owner: 'libs/sqlite' },
  { modules: ['mongodb'], owner: 'libs/mongo' },
  { modules: ['pino', 'prom-client'], owner: 'libs/runtime' },
  { modules: ['express'], owner: 'apps/gateway' },
];

/** The whole rule for one place: eslint's configurations replace each other's options, they don't merge. */
function restrictedImports({ owner, mayWait = false } = {}) {
  const wrapped = WRAPPED.filter((entry) => entry.owner !== owner);
  return [
    'error',
    {
      paths: [
        {
          name: 'node:process',
          importNames: ['env'],
          message: 'Only config.ts reads the environment.',
        },
        ...(mayWait ? [] : ['node:timers', 'node:timers/promises']).map((name) => ({
          name,
          message:
            'Time comes from the Clock that is passed in; tests wait for a condition, not for a while.',
        })),
      ],
      patterns: [
        ...wrapped.map(({ modules, owner }) => ({
          group: modules.flatMap((name) => [name, `${name}/*`]),
          message: `Only ${owner} imports it.`,
        })),
        { group: ['@posthorn/*/*'], message: "A library's face is its index.ts." },
      ],
    },
  ];
}

const ENVIRONMENT = {
  object: 'process',
  property: 'env',
  message: 'Only config.ts reads the environment.',
};
const WALL_CLOCK = [
  { object: 'Date', property: 'now', message: 'Use the Clock that is passed in.' },
  { object: 'performance', property: 'now', message: 'Use the Clock that is passed in.' },
  { object: 'Math', property: 'random', message: 'Use the Random that is passed in.' },
  { object: 'crypto', property: 'randomUUID', message: 'Ids are minted by newId of @posthorn/models.' },
];
const TIMERS = ['setTimeout', 'setInterval'].map((name) => ({
  name,
  message: 'Use the Clock that is passed in.',
}));
/** What would make a pure library impure without an import. */
const AMBIENT = ['process', 'Buffer', 'console', 'crypto', 'fetch', 'performance', 'queueMicrotask'].map(
  (name) => ({
    name,
    message: 'libs/models is pure: no clock, no random, no I/O.',
  }),
);

const SYNTAX = [
  {
    selector: 'TSAsExpression > TSAsExpression[typeAnnotation.type="TSUnknownKeyword"]',
    message: 'A cast through unknown hides a lie; narrow the value instead.',
  },
];
const CURRENT_TIME = {
  selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
  message: 'Use the Clock that is passed in.',
};

export default tseslint.config(
  {
    ignores: ['**/dist/**', '**/node_modules/**', '**/.nx/**', 'libs/contracts/src/gen/**', 'coverage/**'],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [eslint.configs.recommended, ...tseslint.configs.strict, comments.recommended],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { '@nx': nx },
    rules: {
      '@eslint-community/eslint-comments/require-description': ['error', { ignore: ['eslint-enable'] }],
      '@eslint-community/eslint-comments/no-unlimited-disable': 'error',

      '@nx/enforce-module-boundaries': [
        'error',
        {
          allow: [],
          depConstraints: [
            ...Object.entries(DEPENDENCIES).map(([name, allowed]) => ({
              sourceTag: `scope:${name}`,
              onlyDependOnLibsWithTags: allowed.map((scope) => `scope:${scope}`),
            })),
            // These two put the services together.
            // What their tests depend on counts too, and that is tools/stack; dependency-cruiser keeps it out of the rest.
            {
              sourceTag: 'scope:standalone',
              notDependOnLibsWithTags: ['scope:e2e', 'scope:tools', 'scope:bench'],
            },
            { sourceTag: 'scope:e2e', notDependOnLibsWithTags: ['scope:tools', 'scope:bench'] },
          ],
        },
      ],
      'no-restricted-imports': restrictedImports(),
      'no-restricted-properties': ['error', ENVIRONMENT, ...WALL_CLOCK],
      'no-restricted-globals': ['error', ...TIMERS],
      'no-restricted-syntax': ['error', ...SYNTAX, CURRENT_TIME],
      'no-restricted-exports': [
        'error',
        {
          restrictDefaultExports: {
            direct: true,
            named: true,
            defaultFrom: true,
            namedFrom: true,
            namespaceFrom: true,
          },
        },
      ],
      'max-lines': ['error', { max: 400 }],
      // Control characters are what we look for in URLs and header values.
      'no-control-regex': 'off',
      'no-console': 'error',
      eqeqeq: 'error',
      'object-shorthand': 'error',

      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-array-delete': 'error',
      '@typescript-eslint/no-base-to-string': 'error',
      '@typescript-eslint/no-deprecated': 'error',
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafeCalls: [{ from: 'package', package: 'node:test', name: 'test' }] },
      ],
      '@typescript-eslint/no-for-in-array': 'error',
      '@typescript-eslint/no-implied-eval': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      '@typescript-eslint/no-unnecessary-type-assertion': 'error',
      '@typescript-eslint/no-unsafe-argument': 'error',
      '@typescript-eslint/no-unsafe-assignment': 'error',
      '@typescript-eslint/no-unsafe-call': 'error',
      '@typescript-eslint/no-unsafe-member-access': 'error',
      '@typescript-eslint/no-unsafe-return': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      '@typescript-eslint/restrict-plus-operands': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/use-unknown-in-catch-callback-variable': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },

  ...[...new Set(WRAPPED.map(({ owner }) => owner))].map((owner) => ({
    files: [`${owner}/**/*.ts`],
    rules: { 'no-restricted-imports': restrictedImports({ owner }) },
  })),
  {
    files: ['libs/models/**/*.ts'],
    ignores: SPECS,
    rules: { 'no-restricted-globals': ['error', ...TIMERS, ...AMBIENT] },
  },
  {
    // The one clock and the one random source of the platform.
    files: ['libs/runtime/src/clock.ts', 'libs/runtime/src/random.ts'],
    rules: {
      'no-restricted-properties': ['error', ENVIRONMENT],
      'no-restricted-globals': 'off',
      'no-restricted-syntax': ['error', ...SYNTAX],
    },
  },
  {
    files: ['**/config.ts'],
    rules: { 'no-restricted-properties': ['error', ...WALL_CLOCK] },
  },
  {
    // What runs real servers in tests needs real time: a deadline for what never comes, a pause of a receiver.
    files: [...SPECS, 'libs/testing/**/*.ts'],
    rules: {
      'no-restricted-properties': 'off',
      'no-restricted-globals': 'off',
      'no-restricted-syntax': ['error', ...SYNTAX],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      'max-lines': ['error', { max: 700 }],
      'no-loss-of-precision': 'off',
      // Jest's asymmetric matchers are typed as any.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    files: PROGRAMS,
    rules: {
      'no-restricted-properties': 'off',
      'no-restricted-globals': 'off',
      'no-restricted-syntax': ['error', ...SYNTAX],
      'no-console': 'off',
    },
  },
  {
    files: ['bench/**/*.ts', 'tools/**/*.ts'],
    rules: { 'no-restricted-imports': restrictedImports({ mayWait: true }) },
  },
  {
    files: SPECS,
    plugins: { jest },
    languageOptions: { globals: jest.environments.globals.globals },
    rules: {
      'jest/expect-expect': [
        'error',
        { assertFunctionNames: ['expect', 'expect*', 'assert*', '*.assert', 'eventually', 'eventually*'] },
      ],
      'jest/no-disabled-tests': 'error',
      'jest/no-focused-tests': 'error',
      'jest/no-identical-title': 'error',
      'jest/no-restricted-jest-methods': [
        'error',
        Object.fromEntries(
          ['mock', 'doMock', 'unstable_mockModule', 'useFakeTimers'].map((method) => [
            method,
            'Pass another adapter in, or the fake clock of @posthorn/testing.',
          ]),
        ),
      ],
      'jest/no-test-return-statement': 'off',
      'jest/valid-expect': 'error',
      'jest/valid-expect-in-promise': 'error',
      'jest/valid-title': ['error', { ignoreTypeOfDescribeName: true }],
    },
  },
  {
    // Jest asks for a default export.
    files: ['tools/src/jest/*.ts'],
    rules: { 'no-restricted-exports': 'off' },
  },
);
