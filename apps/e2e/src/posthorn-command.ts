import { spawn, type ChildProcess } from 'node:child_process';
import { join, resolve } from 'node:path';

/** The `posthorn` command as a shell runs it. */
export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input; nothing when absent. */
  readonly stdin?: string;
  /** Another executable than the repository's own. */
  readonly executable?: string;
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand {
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves when it has ended. */
  readonly ended: Promise<CommandResult>;
  signal(name: NodeJS.Signals): void;
}

export const executable = resolve(import.meta.dirname, '../../standalone/bin/posthorn');

/** Those that haven't ended. */
const running = new Set<RunningCommand>();

/** Ends what a test that failed has left behind, so that it disturbs no other. */
export async function endCommands(): Promise<void> {
  const left = [...running];
  for (const command of left) command.signal('SIGKILL');
  await Promise.all(left.map(({ ended }) => ended));
}

/** Starts the command; its environment has nothing of ours but the PATH. */
export function startCommand(argv: readonly string[], options: CommandOptions = {}): RunningCommand {
  let stdout = '';
  let stderr = '';
  const child: ChildProcess = spawn(options.executable ?? executable, [...argv], {
    env: {
      PATH: join(executable, '../../../../node_modules/.bin') + `:${process.env['PATH']}`,
      ...options.env,
    },
    stdio: 'pipe',
  });
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(options.stdin ?? '');
  const ended = new Promise<CommandResult>((done, fail) => {
    child.once('error', fail);
    child.once('close', (code) => done({ code, stdout, stderr }));
  });
  const command: RunningCommand = {
    stdout: () => stdout,
    stderr: () => stderr,
    ended: ended.finally(() => running.delete(command)),
    signal: (name) => void child.kill(name),
  };
  running.add(command);
  return command;
}

/** Runs the command to its end. */
export function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return startCommand(argv, options).ended;
}
