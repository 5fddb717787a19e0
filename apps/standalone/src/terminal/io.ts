/** What a command has of the world: streams, environment, time, and a signal that Ctrl-C or SIGTERM aborts. Tests pass their own. */
import type { Readable, Writable } from 'node:stream';
import {
  systemClock,
  systemRandom,
  onStopSignals,
  type Clock,
  type Environment,
  type Random,
} from '@posthorn/runtime';
import { environment } from '../config.ts';
import { exitCodes } from '../exit-codes.ts';

export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Environment;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborted by the first SIGINT or SIGTERM: finish what is begun, then end. */
  readonly signal: AbortSignal;
}

export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/**
 * The process's own streams. From the moment that somebody asks for the signal, the first SIGINT or SIGTERM aborts it and the
 * second one ends the process at once. A reader that closes the pipe early (`posthorn events list | head`) ends it quietly.
 */
export function processIo(): Io {
  let controller: AbortController | undefined;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: environment,
    clock: systemClock,
    random: systemRandom,
    get signal() {
      controller ??= abortOnInterrupt();
      return controller.signal;
    },
  };
}

function abortOnInterrupt(): AbortController {
  const controller = new AbortController();
  onStopSignals(process, systemClock, {
    first: () => controller.abort(),
    again: () => process.exit(exitCodes.interrupted),
  });
  return controller;
}
