/**
 * Docker, where an engine answers: official images as servers for tests.
 *
 * A container's ports are published on 127.0.0.1 only, and it is removed with its data at the end.
 */
import { randomUUID } from 'node:crypto';
import { startGuardian } from './guardian.ts';
import type { Guardian } from './guardian.ts';
import type { Progress } from './progress.ts';
import { runTool } from './run-tool.ts';
import type { Runner } from './runner.ts';

const askLimitMs = 10_000;
const pullLimitMs = 10 * 60_000;
const commandLimitMs = 60_000;

/** Whether a Docker engine answers. */
export async function hasDockerEngine(): Promise<boolean> {
  const { code } = await runTool('docker', ['version', '--format', '{{.Server.Version}}'], {
    timeLimitMs: askLimitMs,
  });
  return code === 0;
}

/**
 * Has the image ready, pulled if need be.
 *
 * @returns why that isn't possible; null when it is ready
 */
export async function pullImage(image: string, progress: Progress): Promise<string | null> {
  const present = await runTool('docker', ['image', 'inspect', image], { timeLimitMs: askLimitMs });
  if (present.code === 0) return null;
  progress.step(`pulling ${image}`);
  const pulled = await runTool('docker', ['pull', image], {
    timeLimitMs: pullLimitMs,
    onLine: (line) => progress.detail(line),
  });
  return pulled.code === 0 ? null : `docker pull ${image} failed: ${lastLine(pulled.output)}`;
}

/** @throws Error when there is one: what a container writes goes away with it */
export function refuseDataDir(dataDir: string | undefined): void {
  if (dataDir !== undefined) {
    throw new Error('A server in Docker keeps its data in its container: it takes no directory for them');
  }
}

export interface ContainerOptions {
  readonly image: string;
  /** For its name, as `kafka`. */
  readonly product: string;
  /** The same inside and outside. */
  readonly port: number;
  /** What else it listens on, the same inside and outside. */
  readonly morePorts?: readonly number[];
  /** `NAME=value` each. */
  readonly environment?: readonly string[];
  /** For the image's entry point. */
  readonly args?: readonly string[];
}

/** Runs a server in a container, which doesn't outlive this process. */
export function createContainerRunner({
  image,
  product,
  port,
  morePorts = [],
  environment = [],
  args = [],
}: ContainerOptions): Runner {
  const name = `posthorn-${product}-${randomUUID()}`;
  let guardian: Guardian | undefined;

  async function docker(...dockerArgs: readonly string[]): Promise<string> {
    const { code, output } = await runTool('docker', dockerArgs, { timeLimitMs: commandLimitMs });
    if (code !== 0) throw new Error(`docker ${dockerArgs.join(' ')} failed: ${output.trim()}`);
    return output.trim();
  }

  return {
    async start() {
      if (guardian !== undefined) return void (await docker('start', name));
      guardian = startGuardian('docker rm --force --volumes "$subject"');
      guardian.tell(name);
      const published = [port, ...morePorts].flatMap((one) => ['--publish', `127.0.0.1:${one}:${one}`]);
      const variables = environment.flatMap((variable) => ['--env', variable]);
      await docker('run', '--detach', '--name', name, ...published, ...variables, image, ...args);
    },
    async failure() {
      const [running, code] = (
        await docker('inspect', '--format', '{{.State.Running}} {{.State.ExitCode}}', name)
      ).split(' ');
      return running === 'true' ? null : `its container ended (${code})`;
    },
    lastWords: () => docker('logs', '--tail', '25', name),
    kill: async () => void (await docker('kill', '--signal', 'KILL', name)),
    end: async () => void (await docker('stop', '--time', '20', name)),
    suspend: async () => void (await docker('pause', name)),
    resume: async () => void (await docker('unpause', name)),
    async dispose() {
      if (guardian === undefined) return;
      await docker('rm', '--force', '--volumes', name);
      await guardian.dismiss();
      guardian = undefined;
    },
  };
}

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1) ?? '';
}
