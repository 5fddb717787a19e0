/**
 * One line on standard error that says how far a long command is: rewritten in place on a terminal, written anew every
 * few seconds anywhere else, so that a log of it stays short.
 */
import type { Clock } from '@posthorn/runtime';
import type { OutputStream } from './io.ts';
import { truncate } from './printable.ts';

export interface Progress {
  /** Shows the line, at most as often as makes sense; `line` is only called when it is shown. */
  update(line: () => string): void;
  /** Takes the line away on a terminal, so that a summary can follow. */
  end(): void;
}

export interface ProgressOptions {
  readonly stderr: OutputStream;
  readonly clock: Clock;
  /** How often the line is rewritten on a terminal; 100 by default. */
  readonly terminalIntervalMs?: number;
  /** How often a line is written elsewhere; 5,000 by default. */
  readonly logIntervalMs?: number;
}

const clearLine = '\r\u001b[2K';

export function createProgress(options: ProgressOptions): Progress {
  const { stderr, clock } = options;
  const isTerminal = stderr.isTTY === true;
  const intervalMs = isTerminal ? (options.terminalIntervalMs ?? 100) : (options.logIntervalMs ?? 5_000);
  // A terminal shows the first line at once; a log gets one only for what takes its time.
  let shownAt = isTerminal ? -Infinity : clock.monotonic();
  let isShown = false;
  return {
    update(line) {
      const now = clock.monotonic();
      if (now - shownAt < intervalMs) return;
      shownAt = now;
      isShown = true;
      stderr.write(isTerminal ? clearLine + truncate(line(), (stderr.columns || 80) - 1) : `${line()}\n`);
    },
    end() {
      if (isTerminal && isShown) stderr.write(clearLine);
      isShown = false;
    },
  };
}
