/** The last run on record: a part of docs/reliability.md between two marks. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cpus, totalmem } from 'node:os';
import { resultsTable } from './results-table.ts';
import type { FaultResult } from './run-faults.ts';

const root = resolve(import.meta.dirname, '../../../..');
const page = join(root, 'docs/reliability.md');
const beginMark = '<!-- the last run: written by `npm run test:faults -- --record` -->';
const endMark = '<!-- the end of the last run -->';
const gibibyte = 1024 ** 3;

/** `form` says which run it was, for a person. */
export function recordRun(results: readonly FaultResult[], form: string): void {
  const text = readFileSync(page, 'utf8');
  const [begin, end] = [text.indexOf(beginMark), text.indexOf(endMark)];
  if (begin < 0 || end < begin) throw new Error(`${page} has lost the marks of its last run`);
  const part = [beginMark, '', `${form}. ${circumstances()}:`, '', resultsTable(results), '', endMark].join(
    '\n',
  );
  writeFileSync(page, text.slice(0, begin) + part + text.slice(end + endMark.length));
}

function circumstances(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const commit = git('rev-parse', '--short', 'HEAD');
  const isChanged = git('status', '--porcelain') !== '';
  const at = new Date().toISOString().slice(0, 10);
  const machine = `${cpus().length} cores, ${Math.round(totalmem() / gibibyte)} GiB, Node ${process.version}`;
  return `Commit ${commit}${isChanged ? ' with changes' : ''}, ${at}, on ${machine}`;
}
