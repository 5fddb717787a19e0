import { existsSync, readFileSync, readdirSync } from 'node:fs';

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

const lookEveryMs = 5;
const stopLimitMs = 10_000;

/**
 * Resolves when a process that was sent SIGSTOP does nothing any more: its threads stop one by one, after the signal was sent. Where
 * the system doesn't tell (it isn't Linux), at once.
 *
 * @throws when it hasn't stopped after a long time
 */
export async function untilSuspended(pid: number): Promise<void> {
  const deadline = performance.now() + stopLimitMs;
  while (!isSuspended(pid)) {
    if (performance.now() > deadline) throw new Error(`The process ${pid} doesn't stop.`);
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}

function isSuspended(pid: number): boolean {
  const tasks = `/proc/${pid}/task`;
  return (
    !existsSync(tasks) || readdirSync(tasks).every((task) => /^[TtZX]?$/.test(readState(pid, task).charAt(0)))
  );
}

/** The state and what follows of Linux's description of a process, or of one of its threads; elsewhere, empty. */
function readState(pid: number, task = String(pid)): string {
  try {
    const description = readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8');
    // The name before it may contain anything.
    return description.slice(description.lastIndexOf(') ') + 2);
  } catch {
    return '';
  }
}
