/**
 * What the linter can't see: cycles, orphans, node built-ins, and what only specs may import.
 * Each rule is tested with a planted violation in `tools/src/canary`.
 */
/** Tests, the suites that adapters share, and what tests are set up with. */
const SPEC = '\\.(spec|contract|harness)\\.ts$';
const BUILT_IN = { dependencyTypes: ['core'] };

export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'What imports each other is one thing in two files.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'Nothing imports it and it imports nothing.',
      severity: 'error',
      from: {
        orphan: true,
        pathNot: [
          '(^|/)(index|main)\\.ts$',
          SPEC,
          '\\.d\\.ts$',
          '^libs/contracts/src/gen/',
          '^tools/src/',
          '^bench/',
        ],
      },
      to: {},
    },
    {
      name: 'no-unresolvable',
      comment: 'A module that is not there.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'models-is-pure',
      comment: 'libs/models imports nothing: no package, no node built-in.',
      severity: 'error',
      from: { path: '^libs/models/src/', pathNot: SPEC },
      to: { pathNot: '^libs/models/src/' },
    },
    {
      name: 'signing-uses-only-crypto',
      comment: 'libs/signing could be published on its own: models, jose and node:crypto.',
      severity: 'error',
      from: { path: '^libs/signing/src/', pathNot: SPEC },
      to: { ...BUILT_IN, pathNot: '^(node:)?crypto$' },
    },
    {
      name: 'contracts-use-no-built-in',
      severity: 'error',
      from: { path: '^libs/contracts/src/', pathNot: [SPEC, '^libs/contracts/src/gen/'] },
      to: BUILT_IN,
    },
    {
      name: 'only-sqlite-opens-databases',
      severity: 'error',
      from: { pathNot: '^(libs/sqlite|bench)/' },
      to: { ...BUILT_IN, path: 'sqlite' },
    },
    {
      name: 'gateway-owns-nothing',
      comment: 'The gateway has no database, no broker and no files of its own that it writes.',
      severity: 'error',
      from: { path: '^apps/gateway/src/' },
      to: { path: ['^libs/(sqlite|mongo|event-log)/', 'node_modules/(mongodb|kafkajs)/'] },
    },
    {
      name: 'deliveries-leave-by-one-door',
      comment:
        'The address that is connected to is the address that was checked: only webhook-client.ts sends, by http/.',
      severity: 'error',
      from: {
        path: '^apps/dispatcher/src/',
        pathNot: [SPEC, '^apps/dispatcher/src/(webhook-client\\.ts$|http/)'],
      },
      to: { path: ['node_modules/undici/', '^(node:)?(https?|http2|net|tls)$'] },
    },
    {
      name: 'testing-is-for-specs',
      comment: 'libs/testing never runs in production.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: [SPEC, '^libs/testing/', '^apps/e2e/'] },
      to: { path: '^libs/testing/' },
    },
    {
      name: 'servers-are-for-stack-tests',
      comment:
        'What starts a Kafka and a MongoDB is for tests that need the real ones, not through a harness either.',
      severity: 'error',
      from: {
        path: '^(apps|libs)/',
        pathNot: ['\\.stack\\.spec\\.ts$', '\\.(harness|contract)\\.ts$', '^apps/e2e/'],
      },
      to: { path: '^tools/', reachable: true },
    },
    {
      name: 'nobody-imports-a-spec',
      severity: 'error',
      from: { pathNot: SPEC },
      to: { path: SPEC },
    },
    {
      name: 'nobody-imports-a-main',
      comment: 'main.ts starts a process; what others want of it is in another file.',
      severity: 'error',
      from: {},
      to: { path: '^apps/[^/]+/src/main\\.ts$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@posthorn/source', 'import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.json'],
    },
    skipAnalysisNotInRules: true,
  },
};
