/**
 * One of the four services as a process of its own, that can be killed, suspended, stopped and started again, always on the same
 * ports. What it writes goes to a file, over all its lives. It doesn't outlive who started it, however that ends.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ServiceName } from '@posthorn/rpc';
import { startGuardian } from './guardian.ts';
import type { Guardian } from './guardian.ts';

export interface ServiceProcess {
  readonly service: ServiceName;
  /** The service and a number, such as `dispatcher-2`. */
  readonly name: string;
  /** Of the process that runs now. */
  readonly pid: number | undefined;
  /** Where it tells how it is and what it has done, without a path. */
  readonly adminUrl: string;
  /** Whether it has ever been started. */
  readonly wasStarted: boolean;
  /** Resolves when it is ready. */
  start(): Promise<void>;
  /** `kill -9`, and waits until it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: its connections stay open, and it does nothing. */
  suspend(): void;
  /** SIGCONT. */
  resume(): void;
  /** SIGTERM; throws unless it ends in time and says that all went well. */
  stop(): Promise<void>;
  /** Stops it if it runs; throws when it had ended by itself. */
  dispose(): Promise<void>;
  /** The last lines that it has written of what doesn't go as it should, cut to a readable length. */
  lastTroubles(count: number): readonly string[];
}

export interface ServiceProcessOptions {
  readonly service: ServiceName;
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  readonly adminPort: number;
  /** Where its log goes, as `<name>.log`. */
  readonly logDirectory: string;
}

/** Generous: all of them start at once, on few cores. */
const startLimitMs = 90_000;
const pollMs = 50;
/** Beyond POSTHORN_STOP_TIMEOUT_MS. */
const stopLimitMs = 40_000;
const longestLine = 1000;
const root = resolve(import.meta.dirname, '../../..');
/** What Node makes of the sources, for the next start. */
const compileCache = join(root, 'node_modules/.cache/posthorn');

/** Prepares a service; nothing runs yet. */
export function prepareService(options: ServiceProcessOptions): ServiceProcess {
  const { service, name, env, adminPort, logDirectory } = options;
  const adminUrl = `http://127.0.0.1:${adminPort}`;
  const logFile = join(logDirectory, `${name}.log`);
  let child: ChildProcess | undefined;
  let guardian: Guardian | undefined;

  const isRunning = (): boolean =>
    child?.pid !== undefined && child.exitCode === null && child.signalCode === null;

  const lines = (): readonly string[] => readFileSync(logFile, 'utf8').trimEnd().split('\n');

  function endedBadly(what: string): Error {
    const how = child?.exitCode ?? child?.signalCode ?? 'not started';
    return new Error(`${name} ${what} (${how}). Its last words:\n${lines().slice(-25).join('\n')}`);
  }

  /** Answers how it ended; throws when it had ended before. */
  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child === undefined) throw new Error(`${name} doesn't run`);
    if (!isRunning()) throw endedBadly('had ended by itself');
    const exited = once(child, 'exit');
    const force = setTimeout(() => child?.kill('SIGKILL'), stopLimitMs);
    child.kill(signal);
    await exited;
    clearTimeout(force);
    await guardian?.dismiss();
  }

  async function isReady(): Promise<boolean> {
    try {
      const answer = await fetch(`${adminUrl}/readyz`);
      await answer.arrayBuffer();
      return answer.ok;
    } catch {
      return false;
    }
  }

  async function stop(): Promise<void> {
    await end('SIGTERM');
    if (child?.exitCode !== 0) throw endedBadly("didn't stop well");
    child = undefined;
  }

  return {
    service,
    name,
    get pid() {
      return child?.pid;
    },
    adminUrl,
    get wasStarted() {
      return existsSync(logFile);
    },
    async start() {
      if (isRunning()) throw new Error(`${name} runs already`);
      const log = openSync(logFile, 'a');
      guardian = startGuardian('kill -KILL "$subject"');
      const started = spawn(
        process.execPath,
        [
          '--conditions=@posthorn/source',
          '--disable-warning=ExperimentalWarning',
          '--disable-warning=TimeoutNegativeWarning',
          join(root, 'apps', service, 'src/main.ts'),
        ],
        {
          env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: compileCache, ...env },
          stdio: ['ignore', log, log],
        },
      );
      closeSync(log);
      child = started;
      if (started.pid !== undefined) guardian.tell(String(started.pid));
      const deadline = performance.now() + startLimitMs;
      while (!(await isReady())) {
        if (!isRunning()) {
          await guardian.dismiss();
          const error = endedBadly('ended at its start');
          child = undefined;
          throw error;
        }
        if (performance.now() > deadline) throw endedBadly(`wasn't ready within ${startLimitMs / 1000} s`);
        await new Promise((wake) => setTimeout(wake, pollMs));
      }
    },
    async kill() {
      await end('SIGKILL');
      child = undefined;
    },
    suspend: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    stop,
    async dispose() {
      if (child === undefined) return;
      child.kill('SIGCONT');
      await stop();
    },
    lastTroubles: (count) =>
      lines()
        .filter((line) => !/^\{"level":"(debug|info)"/.test(line))
        .slice(-count)
        .map((line) => line.slice(0, longestLine)),
  };
}
