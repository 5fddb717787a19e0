/**
 * secantusd-rs in place of MongoDB: a server over WiredTiger that speaks MongoDB's protocol, built by cargo from crates.io.
 *
 * It stands in where neither a MongoDB nor Docker is at hand. It isn't MongoDB: figures that were measured with it say so.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fillOnce } from './cache.ts';
import { createProcessRunner } from './process-runner.ts';
import type { Progress } from './progress.ts';
import { runTool } from './run-tool.ts';
import type { Runner } from './runner.ts';

export const secantusVersion = '0.5.3-beta.196';

const askLimitMs = 20_000;
const buildLimitMs = 20 * 60_000;
/** What the build runs, and what to ask each to see that it is there. */
const buildTools = [
  ['cargo', '--version'],
  ['cmake', '--version'],
  ['make', '--version'],
  ['c++', '--version'],
] as const;

/** Has the server ready, built if need be; answers where it is, or why it can't be built. */
export async function prepareSecantus(
  cacheDir: string,
  progress: Progress,
): Promise<{ readonly program: string } | { readonly problem: string }> {
  const home = join(cacheDir, `secantusd-rs-${secantusVersion}`);
  const problem = await fillOnce(home, progress, (directory) => build(directory, progress));
  if (problem !== null) return { problem };
  return { program: join(home, 'bin/secantusd-rs') };
}

async function build(directory: string, progress: Progress): Promise<string | null> {
  const missing: string[] = [];
  for (const [program, ...args] of buildTools) {
    const { code } = await runTool(program, args, { timeLimitMs: askLimitMs });
    if (code !== 0) missing.push(program);
  }
  if (missing.length > 0) return `crates.io: the build of secantusd-rs needs ${missing.join(', ')}`;

  progress.step(`building secantusd-rs ${secantusVersion} with cargo (once, about 5 minutes on two cores)`);
  const target = join(directory, 'target');
  const { code, output } = await runTool(
    'cargo',
    [
      ...['install', 'secantus-mdb', '--version', secantusVersion, '--locked', '--ignore-rust-version'],
      ...['--root', directory],
    ],
    {
      env: {
        CARGO_TARGET_DIR: target,
        CARGO_TERM_PROGRESS_WHEN: 'always',
        CARGO_TERM_PROGRESS_WIDTH: '100',
      },
      onLine: (line) => progress.detail(line),
      timeLimitMs: buildLimitMs,
    },
  );
  // 800 MB, of which the program is 21.
  rmSync(target, { recursive: true, force: true });
  if (code !== 0) return `crates.io: cargo couldn't build secantusd-rs:\n${output.slice(-2000)}`;
  return null;
}

/** What runs it on a directory; every commit is on disk before it is acknowledged, as with MongoDB's `j: true`. */
export function createSecantusRunner(options: {
  readonly program: string;
  readonly port: number;
  readonly directory: string;
  readonly isTemporary: boolean;
}): Runner {
  const { program, port, directory, isTemporary } = options;
  // One of its own, so that it doesn't look for others on this machine.
  const settings = join(directory, 'secantusd.toml');
  writeFileSync(settings, '');
  return createProcessRunner({
    command: program,
    args: [
      ...['--config', settings, '--host', '127.0.0.1', '--port', String(port)],
      ...['--storage-path', join(directory, 'store'), '--sync-on-commit'],
      ...['--cache-size', '256M', '--log-file-max', '32MB', '--log-level', 'WARNING'],
    ],
    directory,
    isTemporary,
  });
}
