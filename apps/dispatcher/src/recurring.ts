import type { Clock, Logger } from '@posthorn/runtime';

/** What a process does now and then until it stops; what goes wrong is logged and tried again the next time. */
export interface Recurring {
  /** After each `ms`, counted from the end of the time before. */
  every(ms: number, what: string, work: () => Promise<void>): void;
  /** The same, after a time that depends on how long it took; 0 stands for the first time. */
  repeat(what: string, work: () => Promise<void>, waitAfter: (tookMs: number) => number): void;
  stop(): void;
}

export function createRecurring({ clock, logger }: { clock: Clock; logger: Logger }): Recurring {
  let stopped = false;

  function later(
    what: string,
    work: () => Promise<void>,
    waitAfter: (tookMs: number) => number,
    waitMs: number,
  ): void {
    clock
      .setTimeout(() => {
        if (stopped) return;
        const startedAt = clock.monotonic();
        void work()
          .catch((error: unknown) => logger.error({ err: error }, `${what} failed; trying again`))
          .finally(() => later(what, work, waitAfter, waitAfter(clock.monotonic() - startedAt)));
      }, waitMs)
      .unref();
  }

  return {
    every: (ms, what, work) => later(what, work, () => ms, ms),
    repeat: (what, work, waitAfter) => later(what, work, waitAfter, waitAfter(0)),
    stop() {
      stopped = true;
    },
  };
}
