import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startGuardian } from './guardian.ts';
import type { Guardian } from './guardian.ts';
import { untilSuspended } from './process-state.ts';
import type { Runner } from './runner.ts';

/** How long a server may take to end in order. */
const graceMs = 20_000;
const lastLines = 25;
/** Again after a second: the server may be writing while it is being killed. */
const removeDirectory = 'rm -rf -- "$subject" || { sleep 1; rm -rf -- "$subject"; }';

export interface ProcessRunnerOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Where it works and where its output goes, to `server.log`. */
  readonly directory: string;
  /** Whether the directory is removed in the end, also when this process is killed. */
  readonly isTemporary: boolean;
}

/** Runs a server as a process of this machine, which doesn't outlive this one. */
export function createProcessRunner({ command, args, directory, isTemporary }: ProcessRunnerOptions): Runner {
  const logFile = join(directory, 'server.log');
  let child: ChildProcess | undefined;
  /** Of the process while it runs, and of its directory: a number of an ended process may soon be another's. */
  let processGuardian: Guardian | undefined;
  let directoryGuardian: Guardian | undefined;

  function isRunning(): boolean {
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  async function endBy(signal: NodeJS.Signals): Promise<void> {
    if (child !== undefined && isRunning()) {
      const exited = once(child, 'exit');
      const force = setTimeout(() => child?.kill('SIGKILL'), graceMs);
      child.kill(signal);
      // One that is suspended notices a SIGTERM only when it goes on.
      child.kill('SIGCONT');
      await exited;
      clearTimeout(force);
    }
    child = undefined;
    await processGuardian?.dismiss();
    processGuardian = undefined;
  }

  function signal(name: NodeJS.Signals): Promise<void> {
    if (!isRunning()) return Promise.reject(new Error(`It doesn't run: ${command}`));
    child?.kill(name);
    return Promise.resolve();
  }

  return {
    async start() {
      mkdirSync(directory, { recursive: true });
      const log = openSync(logFile, 'a');
      if (isTemporary && directoryGuardian === undefined) {
        directoryGuardian = startGuardian(removeDirectory);
        directoryGuardian.tell(directory);
      }
      const guardian = startGuardian('kill -KILL "$subject"');
      processGuardian = guardian;
      const started = spawn(command, args, { cwd: directory, stdio: ['ignore', log, log] });
      if (started.pid !== undefined) guardian.tell(String(started.pid));
      started.once('exit', () => void guardian.dismiss());
      closeSync(log);
      child = started;
      await once(started, 'spawn');
    },
    failure() {
      const how = child?.exitCode ?? child?.signalCode ?? null;
      return Promise.resolve(isRunning() ? null : `it ended (${how ?? 'not started'})`);
    },
    lastWords() {
      return Promise.resolve(
        readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lastLines).join('\n'),
      );
    },
    kill: () => endBy('SIGKILL'),
    end: () => endBy('SIGTERM'),
    async suspend() {
      await signal('SIGSTOP');
      if (child?.pid !== undefined) await untilSuspended(child.pid);
    },
    resume: () => signal('SIGCONT'),
    async dispose() {
      // Data that outlive it are to be whole.
      await endBy(isTemporary ? 'SIGKILL' : 'SIGTERM');
      if (isTemporary) rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
      await directoryGuardian?.dismiss();
      directoryGuardian = undefined;
    },
  };
}
