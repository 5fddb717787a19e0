/**
 * What is fetched or built once for all checkouts of a user.
 *
 * A directory is there as a whole or not at all: it is filled under another name and renamed. Of several processes that
 * need the same one, one fills it and the others wait; should that fail to work, one of two results is thrown away.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isRunning } from './process-state.ts';
import type { Progress } from './progress.ts';

const pollMs = 500;
/** A lock that is older is left over, even if another process has the number of its holder by now. */
const longestFillMs = 30 * 60_000;

/**
 * Fills a directory of the cache, unless it is there.
 *
 * @param fill fills the directory that it is given, which will have another name later; answers why that isn't possible
 * @returns what `fill` answered; null when the directory is there
 */
export async function fillOnce(
  directory: string,
  progress: Progress,
  fill: (directory: string) => Promise<string | null>,
): Promise<string | null> {
  if (existsSync(directory)) return null;
  mkdirSync(dirname(directory), { recursive: true });
  const release = await lock(`${directory}.lock`, () => {
    progress.step(`another process is at it: ${basename(directory)}`);
  });
  try {
    if (existsSync(directory)) return null;
    removeUnfinished(directory);
    const unfinished = mkdtempSync(`${directory}.partial-`);
    try {
      const problem = await fill(unfinished);
      if (problem === null) putInPlace(unfinished, directory);
      return problem;
    } finally {
      rmSync(unfinished, { recursive: true, force: true });
    }
  } finally {
    release();
  }
}

function putInPlace(unfinished: string, directory: string): void {
  try {
    renameSync(unfinished, directory);
  } catch (error) {
    if (!existsSync(directory)) throw error;
  }
}

/** What a process left that was killed while it filled. */
function removeUnfinished(directory: string): void {
  for (const name of readdirSync(dirname(directory))) {
    if (name.startsWith(`${basename(directory)}.partial-`)) {
      rmSync(join(dirname(directory), name), { recursive: true, force: true });
    }
  }
}

/** Holds a file that names this process; one whose process is gone doesn't count. */
async function lock(file: string, onWait: () => void): Promise<() => void> {
  for (let waited = false; ; waited = true) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (!existsSync(file)) continue;
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    if (!isHeld(file)) {
      rmSync(file, { force: true });
      continue;
    }
    if (!waited) onWait();
    await wait(pollMs);
  }
}

/** What the system calls a failure. */
function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

function isHeld(file: string): boolean {
  try {
    if (Date.now() - statSync(file).mtimeMs > longestFillMs) return false;
    const pid = Number(readFileSync(file, 'utf8'));
    // One that is being written is empty for a moment.
    return pid === 0 || isRunning(pid);
  } catch {
    return false;
  }
}
