/**
 * Processes of the benchmark, and what Linux tells of them. Each is the leader of its own process group, so that Ctrl-C
 * reaches only the script, which ends them one by one by their process ids.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

export interface StartOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A process that was started; lines of its standard output are read one by one. */
export interface Running {
  readonly pid: number;
  /** The next line that passes; rejects when the process ends before, or after `timeoutMs`. */
  line(passes: (line: string) => boolean, timeoutMs: number): Promise<string>;
  /** Writes a line to standard input and resolves with the line that answers it. */
  ask(line: string, timeoutMs?: number): Promise<string>;
  /** CPU seconds so far, all threads, user and system. */
  cpuSeconds(): number;
  /** The most memory that it ever had, in MiB. */
  maxRssMib(): number;
  /** SIGTERM, and SIGKILL when that doesn't end it in time. */
  stop(timeoutMs?: number): Promise<void>;
}

/** Clock ticks a second of /proc/<pid>/stat: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;
/** Kept of what a process writes to standard error, for the message when it fails. */
const errorTextLimit = 4_000;

const running = new Set<Running>();

/** Starts a process; throws when its file can't be run. */
export function start({ command, args, env = {}, cwd }: StartOptions): Running {
  const child = spawn(command, args, {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    ...(cwd !== undefined && { cwd }),
  });
  child.on('error', () => undefined);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} can't be started.`);
  const title = [command.split('/').at(-1), ...args].join(' ');
  const lines = createLineReader(child, title);
  child.stdin.on('error', () => undefined);

  const self: Running = {
    pid,
    line: lines.next,
    ask: (line, timeoutMs = 30_000) => {
      const answer = lines.next(() => true, timeoutMs);
      child.stdin.write(`${line}\n`);
      return answer;
    },
    cpuSeconds: () => cpuSecondsOf(pid),
    maxRssMib: () => maxRssMibOf(pid),
    async stop(timeoutMs = 15_000) {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
        await ended;
        clearTimeout(timer);
      }
      running.delete(self);
    },
  };
  running.add(self);
  return self;
}

/** Ends whatever is left, the newest first. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].reverse().map((each) => each.stop(3_000)));
}

interface LineReader {
  next(passes: (line: string) => boolean, timeoutMs: number): Promise<string>;
}

function createLineReader(child: ChildProcess, title: string): LineReader {
  let waiting: { passes: (line: string) => boolean; resolve: (line: string) => void } | null = null;
  let fail: ((error: Error) => void) | null = null;
  let errorText = '';
  child.stderr?.on('data', (part: Buffer) => {
    errorText = (errorText + part.toString()).slice(-errorTextLimit);
  });
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (waiting?.passes(line)) waiting.resolve(line);
    });
  }
  child.once('exit', (code, signal) => {
    fail?.(new Error(`${title} ended (${signal ?? code}).\n${errorText}`));
  });

  return {
    next: (passes, timeoutMs) =>
      new Promise<string>((resolve, reject) => {
        if (child.exitCode !== null) {
          reject(new Error(`${title} has ended (${child.exitCode}).\n${errorText}`));
          return;
        }
        const timer = setTimeout(
          () => fail?.(new Error(`${title} didn't answer within ${timeoutMs / 1_000} s.\n${errorText}`)),
          timeoutMs,
        );
        const settle = (): void => {
          clearTimeout(timer);
          waiting = fail = null;
        };
        waiting = {
          passes,
          resolve: (line) => {
            settle();
            resolve(line);
          },
        };
        fail = (error) => {
          settle();
          reject(error);
        };
      }),
  };
}

/** CPU seconds so far of a process, all threads, user and system. */
export function cpuSecondsOf(pid: number): number {
  // The name, in parentheses, may contain spaces; utime and stime are the 12th and 13th fields after it.
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** The most memory that a process ever had. */
export function maxRssMibOf(pid: number): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}
