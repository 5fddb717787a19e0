import type { Clock, Logger, Timer } from '@posthorn/runtime';

/** A store in which things expire. */
export interface Sweepable {
  /** Removes at most `limit` things that expired at or before `now`; answers how many. */
  sweep(now: Date, limit: number): Promise<number>;
}

/** Removes what has expired in the background, in steps so small that no publish waits for one. */
export interface Sweeper {
  start(): void;
  /** Resolves when the step under way has ended. */
  stop(): Promise<void>;
}

const stepSize = 200;
const betweenStepsMs = 100;
const betweenSweepsMs = 60_000;

export function createSweeper(options: {
  readonly stores: readonly Sweepable[];
  readonly clock: Clock;
  readonly logger: Logger;
}): Sweeper {
  const { stores, clock, logger } = options;
  let timer: Timer | undefined;
  let step: Promise<void> = Promise.resolve();
  let stopped = false;

  async function sweep(): Promise<void> {
    const now = new Date(clock.now());
    let isMore = false;
    for (const store of stores) {
      try {
        if ((await store.sweep(now, stepSize)) === stepSize) isMore = true;
      } catch (error) {
        logger.warn({ err: error }, 'what has expired could not be removed');
      }
    }
    schedule(isMore ? betweenStepsMs : betweenSweepsMs);
  }

  function schedule(delayMs: number): void {
    if (stopped) return;
    timer = clock.setTimeout(() => {
      step = sweep();
    }, delayMs);
    timer.unref();
  }

  return {
    start: () => schedule(betweenStepsMs),
    async stop() {
      stopped = true;
      clock.clearTimeout(timer);
      await step;
    },
  };
}
