/**
 * What ends a server when the process that started it has no chance to: after kill -9, or a crash.
 *
 * A shell waits for the end of its standard input, which comes when the starter is gone, however that happened, and then
 * runs the command given. Signals of a terminal don't end it, since it is needed just then.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Guardian {
  /** Nothing is to be ended any more. */
  dismiss(): Promise<void>;
}

/** Has `script` run (by sh, `args` being `$1`, `$2` …) once this process has ended without dismissing the guardian. */
export function startGuardian(script: string, args: readonly string[]): Guardian {
  const waitThenRun = `trap '' INT TERM HUP; while read -r _; do :; done; ${script}`;
  const child = spawn('sh', ['-c', waitThenRun, 'posthorn-guardian', ...args], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const exited = once(child, 'exit');
  return {
    async dismiss() {
      child.kill('SIGKILL');
      await exited;
      child.stdin.destroy();
    },
  };
}
