/** What a command that talks to the API works with: made from its options, closed when it ends. */
import type { Command } from 'commander';
import { createApiClient, type ApiClient } from './client/api-client.ts';
import { connectionOf } from './config.ts';
import type { ExitCode } from './exit-codes.ts';
import type { Io } from './terminal/io.ts';
import { createOutput, type Output } from './terminal/output.ts';
import type { GlobalOptions } from './root-command.ts';

export interface Session {
  readonly io: Io;
  readonly api: ApiClient;
  readonly output: Output;
}

export interface SessionOptions {
  /** Ctrl-C lets requests that are under way end, instead of cutting them off. */
  readonly finishRequests?: boolean;
}

/**
 * Makes a commander action of a function that gets a session, then the command's arguments, then its options. The exit code
 * that it resolves with is the command's (0 without one).
 */
export type WithSession = <Given extends readonly unknown[]>(
  run: (session: Session, ...given: Given) => Promise<ExitCode> | Promise<void>,
  options?: SessionOptions,
) => (this: Command, ...given: Given) => Promise<void>;

export function createWithSession(io: Io, setExitCode: (code: ExitCode) => void): WithSession {
  return (run, { finishRequests = false } = {}) =>
    async function (...given) {
      const options = this.optsWithGlobals<GlobalOptions>();
      // Asked for at once: from here on Ctrl-C is ours.
      const { clock, signal } = io;
      const api = createApiClient({
        ...connectionOf(options, io.env),
        clock,
        ...(!finishRequests && { signal }),
      });
      try {
        const session = { io, api, output: createOutput(io, { json: options.json === true }) };
        const code = await run(session, ...given);
        if (typeof code === 'number') setExitCode(code);
      } finally {
        await api.close();
      }
    };
}
