import { readFileSync } from 'node:fs';

/** Whether a process is there and hasn't ended; one that only waits for its parent to take notice has ended. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Somebody else's.
    return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EPERM';
  }
  return !/^[ZX]/.test(readState(pid));
}

/** The state and what follows of Linux's description of a process; elsewhere, empty. */
function readState(pid: number): string {
  try {
    const description = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before it may contain anything.
    return description.slice(description.lastIndexOf(') ') + 2);
  } catch {
    return '';
  }
}
