/**
 * A small client of the native REST API: base URL, key, organisation, paging, and refusals as errors that carry every
 * violation. It repeats nothing by itself; who may repeat what is for the commands to decide.
 */
import type { Clock } from '@posthorn/runtime';
import { Agent, request } from 'undici';
import { parseExactJson } from './exact-json.ts';
import { ApiError, UnreachableError } from './api-error.ts';

export interface ApiClientOptions {
  /** Where the platform listens, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly key: string | null;
  /** Id or slug; for operator keys, which belong to none. */
  readonly organisation: string | null;
  readonly clock: Clock;
  /** Ends what is under way. */
  readonly signal?: AbortSignal;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type Query = Readonly<Record<string, QueryValue | readonly string[]>>;
type QueryValue = string | number | null | undefined;

export interface RequestOptions {
  readonly query?: Query;
  /** Sent as JSON; text and bytes are sent as they are. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Overrides the client's organisation; null names none. */
  readonly organisation?: string | null;
}

export interface ListOptions {
  readonly query?: Query;
  /** How many items at most; null: all. */
  readonly limit: number | null;
  readonly organisation?: string | null;
}

export interface ApiClient {
  readonly url: string;
  /** The answer's JSON as `T`, which is what the API's contract promises; an answer without a body is undefined. */
  send<T>(method: Method, path: string, options?: RequestOptions): Promise<T>;
  /** The answer's bytes as they came. */
  bytes(path: string): Promise<Uint8Array>;
  /** The items of a list, page after page, newest first. */
  list<T>(path: string, options: ListOptions): AsyncGenerator<T, void, undefined>;
  close(): Promise<void>;
}

/** The API's own bound on `?limit=`. */
const maxPageSize = 250;

/** Above the longest that the API takes: a test delivery with a timeout of 60 s. */
const answerTimeoutMs = 75_000;

export function createApiClient(options: ApiClientOptions): ApiClient {
  const { clock } = options;
  const agent = new Agent({
    connections: 32,
    connect: { timeout: 5_000 },
    headersTimeout: answerTimeoutMs,
    bodyTimeout: answerTimeoutMs,
  });
  const base = options.url.replace(/\/+$/, '');

  const exchange = async (method: Method, path: string, request: RequestOptions): Promise<Uint8Array> => {
    const answer = await ask(agent, base, method, path, request, options);
    if (answer.status >= 200 && answer.status < 300) return answer.body;
    throw ApiError.fromAnswer(
      answer.status,
      answer.headers,
      decoder.decode(answer.body),
      new Date(clock.now()),
    );
  };

  const send = async <T>(method: Method, path: string, request: RequestOptions = {}): Promise<T> => {
    const body = decoder.decode(await exchange(method, path, request));
    if (body === '') return undefined as T;
    try {
      return parseExactJson(body) as T;
    } catch {
      throw new UnreachableError(base, 'it answered with something else than JSON: is it a Posthorn API?');
    }
  };

  return {
    url: base,
    send,
    bytes: (path) => exchange('GET', path, {}),
    async *list<T>(path: string, { query, limit, organisation }: ListOptions) {
      let left = limit ?? Infinity;
      let cursor: string | null = null;
      while (left > 0) {
        const page: Page<T> = await send('GET', path, {
          query: { ...query, limit: Math.min(left, maxPageSize), cursor },
          ...(organisation !== undefined && { organisation }),
        });
        for (const item of page.data.slice(0, left)) yield item;
        left -= page.data.length;
        cursor = page.nextCursor;
        if (cursor === null) return;
      }
    },
    close: () => agent.destroy(),
  };
}

interface Page<T> {
  readonly data: readonly T[];
  readonly nextCursor: string | null;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
}

const decoder = new TextDecoder();

async function ask(
  agent: Agent,
  base: string,
  method: Method,
  path: string,
  { query, body, contentType, headers, ...rest }: RequestOptions,
  client: ApiClientOptions,
): Promise<Answer> {
  const organisation = rest.organisation === undefined ? client.organisation : rest.organisation;
  try {
    const response = await request(`${base}${path}${queryText(query)}`, {
      dispatcher: agent,
      method,
      headers: {
        accept: 'application/json',
        ...(client.key !== null && { authorization: `Bearer ${client.key}` }),
        ...(organisation !== null && { 'posthorn-organisation': organisation }),
        ...(body !== undefined && { 'content-type': contentType ?? 'application/json' }),
        ...headers,
      },
      body: bodyOf(body),
      signal: client.signal ?? null,
    });
    return { status: response.statusCode, headers: response.headers, body: await response.body.bytes() };
  } catch (error) {
    if (client.signal?.aborted) throw error;
    throw new UnreachableError(base, reasonOf(error), error);
  }
}

function bodyOf(body: unknown): string | Uint8Array | null {
  if (body === undefined) return null;
  return typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
}

function queryText(query: Query | undefined): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const single of Array.isArray(value) ? (value as readonly string[]) : [value as QueryValue]) {
      if (single !== null && single !== undefined) parameters.append(name, String(single));
    }
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return (code !== undefined && reasons.get(code)) || message || String(error);
}

const reasons = new Map([
  [
    'ECONNREFUSED',
    'nothing listens there. Start the platform with `posthorn serve`, or name another with --url or POSTHORN_URL',
  ],
  ['ENOTFOUND', 'its name does not resolve'],
  ['EAI_AGAIN', 'its name does not resolve at the moment'],
  ['UND_ERR_CONNECT_TIMEOUT', 'no connection in time'],
  ['UND_ERR_HEADERS_TIMEOUT', 'no answer in time'],
  ['UND_ERR_BODY_TIMEOUT', 'no whole answer in time'],
]);
