import type { Clock } from './clock.ts';

/** What is used of `process`. */
export interface SignalSource {
  on(event: string, listener: (value: unknown) => void): unknown;
}

export interface StopSignalHandlers {
  /** The first one: stop. */
  readonly first: (signal: string) => void;
  /** Each later one: stop at once. */
  readonly again: (signal: string) => void;
}

/**
 * A terminal sends Ctrl-C to every process in the foreground, and npm passes what it gets on to its child: under `npm start`
 * one Ctrl-C comes twice. What follows the first within this time is the same wish, not an impatient second one.
 */
const sameWishMs = 500;

/** Calls back on SIGTERM and SIGINT. */
export function onStopSignals(source: SignalSource, clock: Clock, handlers: StopSignalHandlers): void {
  let stoppingSince: number | null = null;
  for (const signal of ['SIGTERM', 'SIGINT']) {
    source.on(signal, () => {
      if (stoppingSince === null) {
        stoppingSince = clock.monotonic();
        handlers.first(signal);
      } else if (clock.monotonic() - stoppingSince > sameWishMs) {
        handlers.again(signal);
      }
    });
  }
}
