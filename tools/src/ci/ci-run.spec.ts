import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning } from '@posthorn/stack';
import { workspaceRoot } from '../workspace.ts';

/** A jest report as `--json` writes it, as far as `.ci/run` looks at it. */
const report = (passed: number, failed: number, broken = 0): string =>
  JSON.stringify({ numPassedTests: passed, numFailedTests: failed, numRuntimeErrorTestSuites: broken });

/** What the npm that `.ci/run` finds does: shell code for each script, `$out` being the file that it reports to. */
interface FakeNpm {
  readonly ci?: string;
  readonly test?: string;
  readonly stack?: string;
  readonly check?: string;
  readonly e2e?: string;
  readonly stackE2e?: string;
  readonly faults?: string;
  readonly fuzz?: string;
}

describe('.ci/run', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'posthorn-ci-'));
    cpSync(join(workspaceRoot, '.ci'), join(folder, '.ci'), { recursive: true });
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function environment({ ci, test, stack, check, e2e, stackE2e, faults, fuzz }: FakeNpm): NodeJS.ProcessEnv {
    mkdirSync(join(folder, 'bin'));
    writeFileSync(
      join(folder, 'bin/npm'),
      `#!/bin/bash
all="$*"
out="\${all##*--outputFile=}"; out="\${out##*--tally }"; out="\${out%% *}"
case "$*" in
  ci*) ${ci ?? 'true'} ;;
  'run test '*) ${test ?? `echo '${report(10, 0)}' >"$out"`} ;;
  'run test:stack '*) ${stack ?? `echo '${report(4, 0)}' >"$out"`} ;;
  'run check '*) ${check ?? `echo '5 0' >"$out"`} ;;
  'run test:e2e '*) ${e2e ?? `echo '${report(2, 0)}' >"$out"`} ;;
  'run test:stack:e2e '*) ${stackE2e ?? `echo '${report(3, 0)}' >"$out"`} ;;
  'run test:faults '*' --short') ${faults ?? `echo '6 0' >"$out"`} ;;
  'run fuzz '*' --short') ${fuzz ?? `echo '7 0' >"$out"`} ;;
  *) exit 99 ;;
esac
`,
      { mode: 0o755 },
    );
    return { ...process.env, PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}` };
  }

  function run(npm: FakeNpm): { readonly lastLine: string; readonly code: number | null } {
    const { stdout, status } = spawnSync('bash', [join(folder, '.ci/run')], { env: environment(npm) });
    return { lastLine: stdout.toString().trimEnd().split('\n').at(-1) ?? '', code: status };
  }

  test('sums the tests and the steps of everything that ran', () => {
    expect(run({})).toEqual({ lastLine: '38 passed, 0 failed', code: 0 });
  });

  test('fails when a test failed, and still runs the rest', () => {
    expect(run({ test: `echo '${report(9, 1)}' >"$out"; exit 1` })).toEqual({
      lastLine: '37 passed, 1 failed',
      code: 1,
    });
  });

  test('counts a file of tests that could not run as a failure', () => {
    expect(run({ test: `echo '${report(9, 0, 1)}' >"$out"; exit 1` })).toEqual({
      lastLine: '37 passed, 1 failed',
      code: 1,
    });
  });

  test('counts a suite that crashed before its report as a failure', () => {
    expect(run({ e2e: 'kill -SEGV $$' })).toEqual({ lastLine: '36 passed, 1 failed', code: 1 });
  });

  test('counts a suite whose servers could not be had as a failure, and still runs the rest', () => {
    expect(run({ stack: 'echo "There is no Kafka for the tests" >&2; exit 1' })).toEqual({
      lastLine: '34 passed, 1 failed',
      code: 1,
    });
  });

  test('counts the failed steps of the check', () => {
    expect(run({ check: `echo '3 2' >"$out"; exit 1` })).toEqual({
      lastLine: '36 passed, 2 failed',
      code: 1,
    });
  });

  test('counts the faults and the findings of the fuzz run', () => {
    const npm = { faults: `echo '4 2' >"$out"; exit 1`, fuzz: 'exit 1' };
    expect(run(npm)).toEqual({ lastLine: '29 passed, 3 failed', code: 1 });
  });

  test('stops after a failed installation', () => {
    expect(run({ ci: 'exit 1' })).toEqual({ lastLine: '0 passed, 1 failed', code: 1 });
  });

  test('ends what a step leaves behind', () => {
    const pidFile = join(folder, 'pid');
    run({ check: `sleep 600 & echo $! >"${pidFile}"; echo '5 0' >"$out"` });
    expect(isRunning(Number(readFileSync(pidFile, 'utf8')))).toBe(false);
  });

  test('says what it has when it is interrupted, even twice', async () => {
    const child = spawn('bash', [join(folder, '.ci/run')], {
      env: environment({ check: 'echo waiting; sleep 600' }),
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('waiting')) child.kill('SIGTERM');
    });
    await once(child, 'close');
    expect(output.trimEnd().split('\n').at(-1)).toBe('15 passed, 1 failed');
    expect(child.exitCode).toBe(1);
  });
});
