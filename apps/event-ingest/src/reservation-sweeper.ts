import type { Clock, Logger, Timer } from '@posthorn/runtime';
import type { ReservationStore } from './reservations.ts';

/** Removes expired reservations in the background, in steps so small that no publish waits for one. */
export interface ReservationSweeper {
  start(): void;
  /** Resolves when the step under way has ended. */
  stop(): Promise<void>;
}

const stepSize = 200;
const betweenStepsMs = 100;
const betweenSweepsMs = 60_000;

export function createReservationSweeper(options: {
  readonly reservations: ReservationStore;
  readonly clock: Clock;
  readonly logger: Logger;
}): ReservationSweeper {
  const { reservations, clock, logger } = options;
  let timer: Timer | undefined;
  let step: Promise<void> = Promise.resolve();
  let stopped = false;

  async function sweep(): Promise<void> {
    let removed = 0;
    try {
      removed = await reservations.sweep(new Date(clock.now()), stepSize);
    } catch (error) {
      logger.warn({ err: error }, 'expired reservations could not be removed');
    }
    schedule(removed === stepSize ? betweenStepsMs : betweenSweepsMs);
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
