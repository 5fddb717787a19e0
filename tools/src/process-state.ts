import { readFileSync } from 'node:fs';

/** Whether a process is there and hasn't ended; one that only waits for its parent to take notice has ended. */
export function isRunning(pid: number): boolean {
  try {
    const afterName = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? '';
    return !/^[ZX]/.test(afterName);
  } catch {
    return false;
  }
}
