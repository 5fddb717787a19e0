import { execFileSync } from 'node:child_process';
import { programEnvironment, workspaceRoot } from './workspace.ts';

interface CommandOptions {
  readonly input?: Buffer;
  /** Whether its error output is thrown away instead of shown. */
  readonly quiet?: boolean;
}

/** Runs a program at the root of the repository; answers what it printed, throws when it fails. */
export function runCommand(
  program: string,
  args: readonly string[],
  { input, quiet = false }: CommandOptions = {},
): Buffer {
  return execFileSync(program, args, {
    cwd: workspaceRoot,
    env: programEnvironment,
    maxBuffer: 256 * 1024 * 1024,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', quiet ? 'ignore' : 'inherit'],
    ...(input === undefined ? {} : { input }),
  });
}
