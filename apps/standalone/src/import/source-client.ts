/**
 * Reads another webhook API, with the credentials of its customer. It only ever reads, stays on the server that it was given, and
 * waits when it is asked to.
 */
import { parseRetryAfter } from '@posthorn/models';
import { sleep, type Clock } from '@posthorn/runtime';
import { Agent, request } from 'undici';
import { CliError, exitCodes } from '../exit-codes.ts';
import { printable } from '../terminal/printable.ts';

export interface SourceOptions {
  /** Where the API begins, such as `https://api.example.com`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface SourceAnswer {
  readonly body: unknown;
  header(name: string): string | undefined;
}

export interface SourceClient {
  /** GETs JSON from a path below the URL, or from a link that an answer gave. */
  get(pathOrLink: string): Promise<SourceAnswer>;
  close(): Promise<void>;
}

const answerTimeoutMs = 30_000;
const maxTries = 5;
const longestWaitMs = 60_000;

export function createSourceClient({ url, headers, clock, signal }: SourceOptions): SourceClient {
  const base = url.replace(/\/+$/, '');
  const { origin } = new URL(base);
  const agent = new Agent({
    connect: { timeout: 5_000 },
    headersTimeout: answerTimeoutMs,
    bodyTimeout: answerTimeoutMs,
  });

  function targetOf(pathOrLink: string): string {
    if (pathOrLink.startsWith('/')) return base + pathOrLink;
    // The credentials go nowhere else.
    if (URL.canParse(pathOrLink) && new URL(pathOrLink).origin === origin) return pathOrLink;
    throw failed(`${base} links to another server, ${printable(pathOrLink)}.`);
  }

  return {
    async get(pathOrLink) {
      const target = targetOf(pathOrLink);
      for (let tries = 1; ; tries += 1) {
        const { statusCode, headers: answered, body } = await ask(target);
        const header = (name: string): string | undefined => {
          const value = answered[name];
          return typeof value === 'string' ? value : value?.[0];
        };
        const text = await body.text();
        if (statusCode === 200) return { body: parse(target, text), header };
        if ((statusCode !== 429 && statusCode < 500) || tries === maxTries)
          throw refused(target, statusCode, text);
        const asked =
          parseRetryAfter(header('retry-after'), new Date(clock.now())) ?? 1000 * 2 ** (tries - 1);
        await sleep(clock, Math.min(asked, longestWaitMs), signal);
        signal.throwIfAborted();
      }
    },
    close: () => agent.destroy(),
  };

  async function ask(target: string): ReturnType<typeof request> {
    try {
      return await request(target, {
        dispatcher: agent,
        headers: { accept: 'application/json', ...headers },
        signal,
      });
    } catch (error) {
      if (signal.aborted) throw error;
      throw failed(`${target} can't be read: ${error instanceof Error ? error.message : String(error)}.`);
    }
  }
}

function parse(target: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw failed(`${target} answered with something else than JSON.`);
  }
}

function refused(target: string, status: number, text: string): CliError {
  const said = printable(text.slice(0, 500));
  const details = status === 401 || status === 403 ? ['Pass a token that may read with --from-token.'] : [];
  return new CliError(
    status >= 500 ? exitCodes.unavailable : exitCodes.refused,
    `${target} answered ${status}: ${said}`,
    details,
  );
}

function failed(message: string): CliError {
  return new CliError(exitCodes.unavailable, message);
}
