import type { Clock, Logger, Timer } from '@posthorn/runtime';
import type { IdempotencyStore } from './idempotency-store.ts';

/** Removes expired answers in small steps, so that no write waits for a long one. */
export interface Sweeper {
  start(): void;
  /** Resolves when the step under way has ended. */
  stop(): Promise<void>;
}

const pauseMs = 60_000;
const stepPauseMs = 100;
const stepSize = 256;

export interface SweeperDependencies {
  readonly store: IdempotencyStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createSweeper({ store, clock, logger }: SweeperDependencies): Sweeper {
  let timer: Timer | undefined;
  let underWay: Promise<void> | undefined;
  let stopped = true;

  async function step(): Promise<void> {
    let next = pauseMs;
    try {
      const swept = await store.sweep(new Date(clock.now()), stepSize);
      if (swept === stepSize) next = stepPauseMs;
    } catch (error) {
      logger.warn({ err: error }, 'expired idempotency keys could not be swept');
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
