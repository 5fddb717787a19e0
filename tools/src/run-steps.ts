/**
 * Runs shell commands side by side, each in a process group of its own, so that a step which takes too long is ended
 * with everything that it started.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { programEnvironment, workspaceRoot } from './workspace.ts';

export interface Step {
  readonly name: string;
  /** A shell command, run at the root with `node_modules/.bin` on the path. */
  readonly command: string;
}

export interface StepResult {
  readonly step: Step;
  readonly passed: boolean;
  readonly durationMs: number;
  /** Standard output and error, in the order in which they came. */
  readonly output: string;
}

interface RunOptions {
  readonly concurrency: number;
  readonly timeLimitMs: number;
  readonly onEnd: (result: StepResult) => void;
}

/** Signals that end the steps first: being in groups of their own they don't get them. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs all steps whatever becomes of each, and answers in their order. */
export async function runSteps(
  steps: readonly Step[],
  { concurrency, timeLimitMs, onEnd }: RunOptions,
): Promise<readonly StepResult[]> {
  const waiting = [...steps.entries()];
  const results: StepResult[] = [];
  const running = new Set<ChildProcess>();
  const endAll = (signal: NodeJS.Signals): void => {
    for (const child of running) endGroup(child);
    process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) process.once(signal, endAll);
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, step] = next;
      const result = await runStep(step, timeLimitMs, running);
      results[index] = result;
      onEnd(result);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  for (const signal of SIGNALS) process.removeListener(signal, endAll);
  return results;
}

async function runStep(step: Step, timeLimitMs: number, running: Set<ChildProcess>): Promise<StepResult> {
  const startedAt = performance.now();
  const child = spawn(step.command, {
    cwd: workspaceRoot,
    env: programEnvironment,
    shell: true,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  const collect = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const limit = setTimeout(() => {
    output += `\ntook longer than ${timeLimitMs / 1000} s and was ended\n`;
    endGroup(child);
  }, timeLimitMs);
  const code = await new Promise<number | null>((resolve) => {
    child.on('error', (error) => {
      output += String(error);
      resolve(null);
    });
    child.on('close', resolve);
  });
  clearTimeout(limit);
  running.delete(child);
  endGroup(child);
  return { step, passed: code === 0, durationMs: performance.now() - startedAt, output };
}

/** Ends what is left of the step's process group: nothing may outlive the check. */
function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nothing is left of it, which is the normal case.
  }
}
