import type { Clock, Logger, Timer } from '@posthorn/runtime';

/** Removes what has expired in small steps, so that no write waits for a long one. */
export interface Sweeper {
  start(): void;
  /** Resolves when the step under way has ended. */
  stop(): Promise<void>;
}

const pauseMs = 60_000;
const stepPauseMs = 100;
const stepSize = 256;

export interface SweeperDependencies {
  readonly store: { sweep(now: Date, limit: number): Promise<number> };
  /** How long ago it is that what is removed now became too old; at once when absent. */
  readonly keepMs?: number;
  /** What is removed, for a line in the log: "expired idempotency keys". */
  readonly what: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createSweeper({ store, keepMs = 0, what, clock, logger }: SweeperDependencies): Sweeper {
  let timer: Timer | undefined;
  let underWay: Promise<void> | undefined;
  let stopped = true;

  async function step(): Promise<void> {
    let next = pauseMs;
    try {
      const swept = await store.sweep(new Date(clock.now() - keepMs), stepSize);
      if (swept === stepSize) next = stepPauseMs;
    } catch (error) {
      logger.warn({ err: error }, `${what} could not be swept`);
    }
    if (!stopped) schedule(next);
  }

  function schedule(ms: number): void {
    timer = clock.setTimeout(() => {
      underWay = step();
    }, ms);
    timer.unref();
  }

  return {
    start() {
      stopped = false;
      schedule(stepPauseMs);
    },
    async stop() {
      stopped = true;
      clock.clearTimeout(timer);
      await underWay;
    },
  };
}
