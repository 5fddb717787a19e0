/** Plants what dependency-cruiser is there to find in a small tree of its own, and expects each to be found. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { cruise } from 'dependency-cruiser';
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import { workspaceRoot } from '../workspace.ts';

interface Violation {
  readonly rule: string;
  readonly from: string;
  readonly files: Readonly<Record<string, string>>;
}

const VIOLATIONS: readonly Violation[] = [
  {
    rule: 'no-cycles',
    from: 'apps/config/src/gnir.ts',
    files: {
      'apps/config/src/ring.ts': `export * from './gnir.ts';`,
      'apps/config/src/gnir.ts': `export type * from './ring.ts';`,
    },
  },
  {
    rule: 'no-orphans',
    from: 'apps/config/src/alone.ts',
    files: { 'apps/config/src/alone.ts': 'export const x = 1;' },
  },
  {
    rule: 'no-unresolvable',
    from: 'apps/config/src/lost.ts',
    files: { 'apps/config/src/lost.ts': `export * from './nowhere.ts';` },
  },
  {
    rule: 'models-is-pure',
    from: 'libs/models/src/impure.ts',
    files: { 'libs/models/src/impure.ts': `export { randomBytes } from 'node:crypto';` },
  },
  {
    rule: 'signing-uses-only-crypto',
    from: 'libs/signing/src/reader.ts',
    files: { 'libs/signing/src/reader.ts': `export { readFileSync } from 'node:fs';` },
  },
  {
    rule: 'contracts-use-no-built-in',
    from: 'libs/contracts/src/bytes.ts',
    files: { 'libs/contracts/src/bytes.ts': `export { Buffer } from 'node:buffer';` },
  },
  {
    rule: 'only-sqlite-opens-databases',
    from: 'apps/config/src/open.ts',
    files: { 'apps/config/src/open.ts': `export { DatabaseSync } from 'node:sqlite';` },
  },
  {
    rule: 'gateway-owns-nothing',
    from: 'apps/gateway/src/store.ts',
    files: {
      'apps/gateway/src/store.ts': `export * from '../../../libs/sqlite/src/index.ts';`,
      'libs/sqlite/src/index.ts': 'export const x = 1;',
    },
  },
  {
    rule: 'deliveries-leave-by-one-door',
    from: 'apps/dispatcher/src/record.ts',
    files: { 'apps/dispatcher/src/record.ts': `export { request } from 'node:https';` },
  },
  {
    rule: 'testing-is-for-specs',
    from: 'apps/config/src/service.ts',
    files: {
      'apps/config/src/service.ts': `export * from '../../../libs/testing/src/index.ts';`,
      'libs/testing/src/index.ts': 'export const x = 1;',
    },
  },
  {
    rule: 'servers-are-for-stack-tests',
    from: 'libs/event-log/src/quick.spec.ts',
    files: {
      'libs/event-log/src/quick.spec.ts': `export * from './broker.harness.ts';`,
      'libs/event-log/src/broker.harness.ts': `export * from '../../../tools/stack/src/index.ts';`,
      'tools/stack/src/index.ts': 'export const x = 1;',
    },
  },
  {
    rule: 'nobody-imports-a-spec',
    from: 'libs/runtime/src/batcher.ts',
    files: {
      'libs/runtime/src/batcher.ts': `export * from './batcher.spec.ts';`,
      'libs/runtime/src/batcher.spec.ts': 'export const x = 1;',
    },
  },
  {
    rule: 'nobody-imports-a-main',
    from: 'apps/config/src/index.ts',
    files: {
      'apps/config/src/index.ts': `export * from './main.ts';`,
      'apps/config/src/main.ts': 'export const x = 1;',
    },
  },
];

const options = await extractOptions(join(workspaceRoot, '.dependency-cruiser.js'));
const folder = mkdtempSync(join(tmpdir(), 'posthorn-canary-'));
after(() => {
  rmSync(folder, { recursive: true });
});

for (const { rule, from, files } of VIOLATIONS) {
  test(`dependency-cruiser finds: ${rule}`, async () => {
    const baseDir = mkdtempSync(join(folder, 'tree-'));
    symlinkSync(join(workspaceRoot, 'node_modules'), join(baseDir, 'node_modules'));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(baseDir, path)), { recursive: true });
      writeFileSync(join(baseDir, path), text);
    }
    const roots = [...new Set(Object.keys(files).map((path) => path.split('/')[0] ?? ''))];
    const { output } = await cruise(roots, { ...options, baseDir, validate: true });
    assert.ok(typeof output === 'object');
    const found = output.summary.violations.map((violation) => `${violation.rule.name} ${violation.from}`);
    assert.ok(found.includes(`${rule} ${from}`), `${rule} found nothing; there was ${JSON.stringify(found)}`);
  });
}

test('every rule has a planted violation', () => {
  const rules = options.ruleSet?.forbidden?.map((rule) => rule.name) ?? [];
  assert.deepEqual(
    rules,
    VIOLATIONS.map((violation) => violation.rule),
  );
});
