/** The pure rules: the property tests of all projects, with more cases. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { FuzzOptions, FuzzPart, FuzzResult } from './part.ts';

const root = resolve(import.meta.dirname, '../../../..');
/** What the property tests try by themselves, about. */
const ordinaryCases = 25_000;

export const rules: FuzzPart = { name: 'rules', shortCases: 50_000, longCases: 1_000_000, run };

async function run({ cases, tell }: FuzzOptions): Promise<readonly FuzzResult[]> {
  const factor = Math.max(1, cases / ordinaryCases);
  tell(`the property tests with ${factor.toFixed(1)} times their cases`);
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-fuzz-'));
  const countFile = join(directory, 'cases');
  const jest = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      join(root, 'node_modules/jest/bin/jest.js'),
      '--config=jest.fuzz.config.js',
    ],
    {
      cwd: root,
      env: { ...process.env, POSTHORN_FUZZ_FACTOR: String(factor), POSTHORN_FUZZ_COUNT_FILE: countFile },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  for (const stream of [jest.stdout, jest.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const [code] = (await once(jest, 'exit')) as [number | null];
  const counts = existsSync(countFile) ? readFileSync(countFile, 'utf8').trim().split('\n').map(Number) : [];
  rmSync(directory, { recursive: true });
  const tried = counts.reduce((sum, count) => sum + count, 0);
  return [{ what: 'property tests', cases: tried, finding: code === 0 ? null : output }];
}
