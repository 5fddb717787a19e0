/**
 * Wall clocks of processes that can be set, by Debian's libfaketime: the processes are started with it, and follow a file that
 * says by how many seconds they are off. Their monotonic clocks go on, as on a machine whose time is set.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readStackConfig } from '@posthorn/stack';
import { CannotBreakError } from './subject.ts';

export interface WallClock {
  /** For the processes that follow it. */
  readonly env: Readonly<Record<string, string>>;
  /** It is felt within a second. */
  setOff(seconds: number): void;
  dispose(): void;
}

const packageName = 'libfaketime';
const libraryPaths = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].map(
  (machine) => `usr/lib/${machine}/faketime/libfaketimeMT.so.1`,
);

/** @throws CannotBreakError where there is no libfaketime and none can be fetched */
export function createWallClock(): WallClock {
  const library = installed('/') ?? installed(cacheDirectory()) ?? fetchLibrary();
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-clock-'));
  const file = join(directory, 'offset');
  const setOff = (seconds: number): void =>
    writeFileSync(file, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}`);
  setOff(0);
  return {
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    },
    setOff,
    dispose: () => rmSync(directory, { recursive: true, force: true }),
  };
}

function cacheDirectory(): string {
  return join(readStackConfig().cacheDir, packageName);
}

function installed(root: string): string | null {
  return libraryPaths.map((path) => join(root, path)).find((path) => existsSync(path)) ?? null;
}

/** Takes the package apart beside the system, as anyone may. */
function fetchLibrary(): string {
  const directory = cacheDirectory();
  mkdirSync(directory, { recursive: true });
  const run = (command: string, args: readonly string[]): void =>
    void execFileSync(command, args, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    run('apt-get', ['download', packageName]);
    for (const file of readdirSync(directory).filter((name) => name.endsWith('.deb'))) {
      run('dpkg-deb', ['--extract', file, '.']);
    }
  } catch (error) {
    throw new CannotBreakError(
      `there is no ${packageName}, and Debian's couldn't be fetched: ${String(error)}`,
    );
  }
  const library = installed(directory);
  if (library === null) throw new CannotBreakError(`Debian's ${packageName} isn't for this machine`);
  return library;
}
