import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ToolOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Its output, line by line, standard output and error alike. */
  readonly onLine?: (line: string) => void;
  readonly timeLimitMs: number;
}

/** What a tool printed, and how it ended. */
export interface ToolResult {
  /** The exit code; null when it couldn't be started, or was ended because it took too long. */
  readonly code: number | null;
  readonly output: string;
}

/** Runs a program that fetches, builds or asks something, to its end; doesn't throw when that fails. */
export async function runTool(
  program: string,
  args: readonly string[],
  { cwd, env = {}, onLine, timeLimitMs }: ToolOptions,
): Promise<ToolResult> {
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const limit = setTimeout(() => child.kill('SIGKILL'), timeLimitMs);
  let output = '';
  let line = '';
  const collect = (chunk: Buffer): void => {
    output += chunk.toString();
    const lines = (line + chunk.toString()).split(/[\r\n]/);
    line = lines.pop() ?? '';
    for (const complete of lines) onLine?.(complete);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, output };
  } catch (error) {
    return { code: null, output: String(error) };
  } finally {
    clearTimeout(limit);
  }
}
