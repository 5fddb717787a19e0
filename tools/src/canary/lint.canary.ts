/**
 * Plants a violation of each rule that the architecture rests on, and expects the linter to find it.
 *
 * A rule can stop working without a word: `@nx/enforce-module-boundaries` checks nothing without a project graph, and
 * a later block of the flat configuration can replace an earlier one. Nothing is written: the linter is given other
 * text for files that exist.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { ESLint } from 'eslint';
import { runCommand } from '../run-command.ts';
import { workspaceRoot } from '../workspace.ts';

interface Violation {
  readonly title: string;
  readonly file: string;
  readonly code: string;
  readonly rule: string;
}

const BOUNDARIES = '@nx/enforce-module-boundaries';
const IMPORTS = 'no-restricted-imports';

const VIOLATIONS: readonly Violation[] = [
  {
    title: 'models imports a library',
    file: 'libs/models/src/index.ts',
    code: `export * from '@posthorn/runtime';`,
    rule: BOUNDARIES,
  },
  {
    title: 'runtime imports a driver library',
    file: 'libs/runtime/src/index.ts',
    code: `export * from '@posthorn/sqlite';`,
    rule: BOUNDARIES,
  },
  {
    title: 'signing imports contracts',
    file: 'libs/signing/src/index.ts',
    code: `export * from '@posthorn/contracts';`,
    rule: BOUNDARIES,
  },
  {
    title: 'an app imports an app',
    file: 'apps/gateway/src/index.ts',
    code: `export * from '@posthorn/config';`,
    rule: BOUNDARIES,
  },
  {
    title: 'an app imports a type of an app',
    file: 'apps/dispatcher/src/index.ts',
    code: `export type * from '@posthorn/event-ingest';`,
    rule: BOUNDARIES,
  },
  {
    title: "an app reaches into another's folder",
    file: 'apps/config/src/index.ts',
    code: `export * from '../../dispatcher/src/index.ts';`,
    rule: BOUNDARIES,
  },
  {
    title: 'the gateway imports the database',
    file: 'apps/gateway/src/index.ts',
    code: `export * from '@posthorn/sqlite';`,
    rule: BOUNDARIES,
  },
  {
    title: 'a library imports an app',
    file: 'libs/rpc/src/index.ts',
    code: `export * from '@posthorn/config';`,
    rule: BOUNDARIES,
  },
  {
    title: 'the standalone imports the end-to-end tests',
    file: 'apps/standalone/src/index.ts',
    code: `export * from '@posthorn/e2e';`,
    rule: BOUNDARIES,
  },
  {
    title: 'grpc-js outside of libs/rpc',
    file: 'apps/gateway/src/index.ts',
    code: `import { status } from '@grpc/grpc-js'; export const ok = status.OK;`,
    rule: IMPORTS,
  },
  {
    title: 'kafkajs outside of libs/event-log',
    file: 'apps/dispatcher/src/index.ts',
    code: `import { Kafka } from 'kafkajs'; export const kafka = Kafka;`,
    rule: IMPORTS,
  },
  {
    title: 'node:sqlite outside of libs/sqlite',
    file: 'apps/config/src/index.ts',
    code: `import { DatabaseSync } from 'node:sqlite'; export const open = DatabaseSync;`,
    rule: IMPORTS,
  },
  {
    title: 'mongodb outside of libs/mongo',
    file: 'libs/sqlite/src/index.ts',
    code: `import { MongoClient } from 'mongodb'; export const client = MongoClient;`,
    rule: IMPORTS,
  },
  {
    title: 'a wrapped package in the owner of another one',
    file: 'libs/rpc/src/index.ts',
    code: `import { DatabaseSync } from 'node:sqlite'; export const open = DatabaseSync;`,
    rule: IMPORTS,
  },
  {
    title: "a file within another project's sources",
    file: 'apps/config/src/index.ts',
    code: `export * from '@posthorn/models/src/event.ts';`,
    rule: IMPORTS,
  },
  {
    title: 'the environment outside of config.ts',
    file: 'apps/gateway/src/index.ts',
    code: `export const port = process.env['PORT'];`,
    rule: 'no-restricted-properties',
  },
  {
    title: 'the wall clock in a service',
    file: 'apps/dispatcher/src/index.ts',
    code: `export const now = (): number => Date.now();`,
    rule: 'no-restricted-properties',
  },
  {
    title: 'the wall clock by a constructor',
    file: 'libs/models/src/index.ts',
    code: `export const now = (): Date => new Date();`,
    rule: 'no-restricted-syntax',
  },
  {
    title: 'a timer in a service',
    file: 'apps/dispatcher/src/index.ts',
    code: `export const later = (run: () => void): unknown => setTimeout(run, 1);`,
    rule: 'no-restricted-globals',
  },
  {
    title: 'input and output in models',
    file: 'libs/models/src/index.ts',
    code: `export const home = process.cwd();`,
    rule: 'no-restricted-globals',
  },
  {
    title: 'a default export',
    file: 'libs/signing/src/index.ts',
    code: `export default 1;`,
    rule: 'no-restricted-exports',
  },
  {
    title: 'a cast through unknown',
    file: 'libs/models/src/index.ts',
    code: `export const lie = (value: string): number => value as unknown as number;`,
    rule: 'no-restricted-syntax',
  },
  {
    title: 'any',
    file: 'libs/models/src/index.ts',
    code: `export const anything = (value: any): void => { String(value); };`,
    rule: '@typescript-eslint/no-explicit-any',
  },
  {
    title: 'a promise that nobody waits for',
    file: 'libs/runtime/src/index.ts',
    code: `export function start(): void { Promise.reject(new Error('lost')); }`,
    rule: '@typescript-eslint/no-floating-promises',
  },
  {
    title: 'a switch that forgets a case',
    file: 'libs/models/src/index.ts',
    code: `export function f(x: 'a' | 'b'): number { switch (x) { case 'a': return 1; } return 2; }`,
    rule: '@typescript-eslint/switch-exhaustiveness-check',
  },
  {
    title: 'an eslint-disable without a reason',
    file: 'libs/runtime/src/index.ts',
    code: `// eslint-disable-next-line no-console\nconsole.log('');\nexport {};`,
    rule: '@eslint-community/eslint-comments/require-description',
  },
  {
    title: 'a test that runs alone',
    file: 'tools/src/names/name-problems.spec.ts',
    code: `test.only('x', () => { expect(1).toBe(1); });`,
    rule: 'jest/no-focused-tests',
  },
  {
    title: 'a test that cannot fail',
    file: 'tools/src/names/name-problems.spec.ts',
    code: `test('x', () => {});`,
    rule: 'jest/expect-expect',
  },
  {
    title: 'a module mock',
    file: 'tools/src/names/name-problems.spec.ts',
    code: `jest.mock('node:fs'); test('x', () => { expect(1).toBe(1); });`,
    rule: 'jest/no-restricted-jest-methods',
  },
];

interface ProjectGraph {
  readonly graph: { readonly nodes: Record<string, { readonly data: { readonly targets: object } }> };
}

let eslint: ESLint;
let graph: ProjectGraph['graph'];

before(() => {
  // Computes the project graph and leaves it where the boundary rule looks for it.
  ({ graph } = JSON.parse(runCommand('nx', ['graph', '--print']).toString()) as ProjectGraph);
  process.chdir(workspaceRoot);
  eslint = new ESLint({ cwd: workspaceRoot });
});

for (const { title, file, code, rule } of VIOLATIONS) {
  test(`the linter finds: ${title}`, async () => {
    const [result] = await eslint.lintText(code, { filePath: file });
    const found = result?.messages.map((message) => message.ruleId) ?? [];
    assert.ok(found.includes(rule), `${rule} found nothing in ${file}; there was ${JSON.stringify(found)}`);
  });
}

test('the linter lets pass what is allowed', async () => {
  const [result] = await eslint.lintText(`export * from '@posthorn/models';\n`, {
    filePath: 'libs/runtime/src/index.ts',
  });
  assert.deepEqual(result?.messages, []);
});

test('every project is linted and type-checked', () => {
  for (const [name, { data }] of Object.entries(graph.nodes)) {
    assert.ok('lint' in data.targets, `${name} has no lint target`);
    assert.ok('typecheck' in data.targets, `${name} has no typecheck target`);
  }
});
