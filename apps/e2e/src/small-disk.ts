/**
 * A disk that can be filled and emptied: a small file system in memory where the machine lets us mount one (as root), and a limit
 * on the size of the process's files, which anyone may set, everywhere else. Both make writes fail as they do in real life:
 * with ENOSPC, and with EFBIG.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SmallDisk {
  /** Where the process keeps its data. */
  readonly dataDir: string;
  /** From now on there is no space for the process. */
  fill(pid: number): void;
  /** There is space again. */
  empty(pid: number): void;
  dispose(): void;
}

const defaultDiskBytes = 48 * 1024 * 1024;

/** A file system of its own; null where none may be mounted. */
export function mountSmallDisk(diskBytes = defaultDiskBytes): SmallDisk | null {
  const mount = mkdtempSync(join(tmpdir(), 'posthorn-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'none', mount], { stdio: 'ignore' });
  } catch {
    rmSync(mount, { recursive: true });
    return null;
  }
  const dataDir = join(mount, 'data');
  mkdirSync(dataDir);
  const ballast = join(mount, 'ballast');
  return {
    dataDir,
    fill() {
      // Block by block until nothing fits any more.
      for (let size = 1024 * 1024; size >= 1024; size /= 4) {
        while (append(ballast, size));
      }
    },
    empty: () => rmSync(ballast),
    dispose() {
      execFileSync('umount', [mount]);
      rmSync(mount, { recursive: true });
    },
  };
}

function append(path: string, size: number): boolean {
  try {
    writeFileSync(path, Buffer.alloc(size), { flag: 'a' });
    return true;
  } catch {
    return false;
  }
}

/** A limit on the size of files, which the process meets with the next byte that it writes beyond it. */
export function limitFileSize(): SmallDisk {
  const dataDir = mkdtempSync(join(tmpdir(), 'posthorn-limit-'));
  const limit = (pid: number, size: string): void =>
    void execFileSync('prlimit', [`--pid=${pid}`, `--fsize=${size}:unlimited`]);
  return {
    dataDir,
    fill: (pid) => limit(pid, '1024'),
    empty(pid) {
      // A process that was killed took its limit along.
      if (existsSync(`/proc/${pid}`)) limit(pid, 'unlimited');
    },
    dispose: () => rmSync(dataDir, { recursive: true, force: true }),
  };
}
