/**
 * `npm run check`: everything that CI asks of a change besides its tests, as one list of commands.
 *
 * All steps run, two at a time, whatever becomes of the others; the output of a step is shown when it has ended, and
 * a summary comes last. `npm run check -- lint knip` runs only the steps named. No step writes into the work tree.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runSteps } from './run-steps.ts';
import type { Step } from './run-steps.ts';

/**
 * One process for all projects, which costs a third of nx's process for each (`npm run lint`, which keeps results).
 * The boundary rule needs nx's project graph, so that is computed first.
 */
const LINT = 'nx show projects >/dev/null && eslint apps bench libs tools';

const STEPS: readonly Step[] = [
  { name: 'typecheck', command: 'tsc --build' },
  { name: 'lint', command: LINT },
  { name: 'canary', command: 'node --test --test-reporter=spec tools/src/canary/*.canary.ts' },
  { name: 'sync', command: 'nx sync:check' },
  { name: 'format', command: 'prettier --check --cache .' },
  { name: 'names', command: 'node tools/src/names/check-names.ts' },
  { name: 'dependencies', command: 'depcruise apps bench libs tools --config .dependency-cruiser.js' },
  { name: 'knip', command: 'knip --cache --no-config-hints' },
  { name: 'proto-lint', command: 'buf lint' },
  { name: 'proto-breaking', command: 'node tools/src/proto/check-breaking.ts' },
  { name: 'proto-generated', command: 'node tools/src/proto/check-generated.ts' },
  { name: 'docs', command: 'node tools/src/docs/generate-docs.ts --check' },
  { name: 'manifests', command: 'node --test --test-reporter=spec tools/src/manifests/*.check.ts' },
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { tally: { type: 'string' } },
});
const unknown = positionals.filter((name) => STEPS.every((step) => step.name !== name));
if (unknown.length > 0) {
  console.error(
    `no such step: ${unknown.join(', ')}; there are ${STEPS.map((step) => step.name).join(', ')}`,
  );
  process.exit(2);
}

const chosen = STEPS.filter((step) => positionals.length === 0 || positionals.includes(step.name));
const results = await runSteps(chosen, {
  concurrency: Math.min(2, availableParallelism()),
  timeLimitMs: 10 * 60_000,
  onEnd: (result) => {
    console.log(`\n──── ${result.passed ? 'ok' : 'FAILED'}: ${result.step.name} (${result.step.command})`);
    console.log(result.output.trimEnd());
  },
});

const failed = results.filter((result) => !result.passed).length;
console.log('\n──── summary');
for (const { step, passed, durationMs } of results) {
  console.log(
    `${passed ? '  ok    ' : '  FAILED'} ${step.name.padEnd(16)} ${(durationMs / 1000).toFixed(1)} s`,
  );
}
if (values.tally !== undefined) writeFileSync(values.tally, `${results.length - failed} ${failed}\n`);
process.exitCode = failed > 0 ? 1 : 0;
