/**
 * What ends a server when the process that started it has no chance to: after kill -9, or a crash.
 *
 * A shell waits for the end of its standard input, which comes when the starter is gone, however that happened, and then
 * runs the command given. Signals of a terminal don't end it, since it is needed just then. It is started before what it
 * guards and told the rest as soon as there is more to tell, so that hardly a moment is left without it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Guardian {
  /** Says what it guards, a single line. */
  tell(subject: string): void;
  /** Nothing is to be ended any more. */
  dismiss(): Promise<void>;
}

/**
 * Has `script` run, by sh, once this process has ended without dismissing the guardian; not if it never told a subject,
 * which is `$subject`.
 */
export function startGuardian(script: string): Guardian {
  const waitThenRun = `trap '' INT TERM HUP; read -r subject || exit; while read -r _; do :; done; ${script}`;
  const child = spawn('sh', ['-c', waitThenRun, 'posthorn-guardian'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const exited = once(child, 'exit');
  // One that somebody ended can't be told anything.
  child.stdin.on('error', () => {});
  return {
    tell(subject) {
      child.stdin.write(`${subject}\n`);
    },
    async dismiss() {
      child.kill('SIGKILL');
      await exited;
      child.stdin.destroy();
    },
  };
}
