import { setTimeout as wait } from 'node:timers/promises';
import type { Runner } from './runner.ts';
import type { ServerSource, TestServer } from './test-server.ts';

/** How long a server may take until it answers: long, because a busy machine has several starting at once. */
const startLimitMs = 120_000;
const pollMs = 50;

export interface ServerDescription {
  readonly source: ServerSource;
  readonly version: string;
  readonly description: string;
  /** Rejects as long as it doesn't answer. */
  readonly probe: () => Promise<unknown>;
  readonly runner: Runner;
}

/**
 * Starts a server and waits until it answers.
 *
 * @throws Error with the server's last words, when it ends or doesn't answer in time; nothing is left of it then
 */
export async function startServer(server: ServerDescription): Promise<TestServer> {
  const { source, version, runner } = server;
  async function start(): Promise<void> {
    await runner.start();
    await untilReady(server);
  }
  try {
    await start();
  } catch (error) {
    await runner.dispose();
    throw error;
  }
  return {
    source,
    version,
    description: server.description,
    canBeKilled: true,
    kill: () => runner.kill(),
    async restart() {
      await runner.end();
      await start();
    },
    suspend: () => runner.suspend(),
    resume: () => runner.resume(),
    async stop() {
      await runner.dispose();
    },
  };
}

async function untilReady({ description, probe, runner }: ServerDescription): Promise<void> {
  const deadline = performance.now() + startLimitMs;
  for (;;) {
    const failure = await runner.failure();
    if (failure !== null) {
      throw new Error(
        `${description} didn't start: ${failure}. Its last words:\n${await runner.lastWords()}`,
      );
    }
    try {
      await probe();
      return;
    } catch (error) {
      if (performance.now() >= deadline) {
        throw new Error(
          `${description} didn't answer within ${startLimitMs / 1000} s. Its last words:\n${await runner.lastWords()}`,
          { cause: error },
        );
      }
    }
    await wait(pollMs);
  }
}
