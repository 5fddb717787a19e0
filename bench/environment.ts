import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg } from 'node:os';
import type { LoadTools } from './load-tools.ts';

/** What figures depend on besides the code; to be printed with them. */
export function environment(tools: LoadTools): Record<string, string | number> {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : ' with changes';
  return {
    commit: `${git('rev-parse', '--short', 'HEAD')}${changed}`,
    at: new Date().toISOString(),
    node: process.version,
    cores: availableParallelism(),
    CPU: cpus()[0]?.model ?? 'unknown',
    load: (loadavg()[0] ?? 0).toFixed(1),
    tools: tools.kind,
  };
}

/** In one line. */
export function describe(about: Readonly<Record<string, string | number>>): string {
  return Object.entries(about)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
