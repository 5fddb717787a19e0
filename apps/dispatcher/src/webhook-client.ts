/**
 * Sends webhooks to receivers that may be slow, broken or hostile, and always comes back with what happened. It guarantees:
 * - only checked addresses are connected to, also through a proxy (see connection.ts); redirects are answers, and never followed;
 * - one deadline over everything, from looking up the name to the last byte of the body;
 * - at most 16 KiB of head and 64 KiB of body are read, 4 KiB of each kept;
 * - one organisation's requests use no connection of another's.
 *
 * A kept connection may have been closed by the receiver at the very moment at which we send: then not one byte of an answer
 * comes. Such a request is sent once more, on a new connection, at once and within the same deadline, and counts as one attempt.
 * The receiver may see it twice, under the same `webhook-id`: that is what at-least-once allows; a failed attempt and a retry
 * five seconds later would show it twice as well. On a new connection the same silence is the receiver's doing, and a failure.
 */
import { createSecureContext, getCACertificates } from 'node:tls';
import { parseRetryAfter, type AttemptOutcome, type AttemptResponse } from '@posthorn/models';
import type { Clock, TargetResolver } from '@posthorn/runtime';
import type { HeaderList } from './envelope/envelope.ts';
import { createConnectionPool, type Lease } from './http/connection-pool.ts';
import { startDeadline, type Deadline } from './http/deadline.ts';
import { exchange, type ExchangeResult, type OutgoingRequest } from './http/exchange.ts';
import type { Failure } from './http/failure.ts';
import { egressProxyOf } from './http/tunnel.ts';

export interface WebhookRequest {
  /** Must have passed `checkTargetUrl`: http or https, no user part. */
  readonly url: string;
  /** Whose connections and name look-ups are used. */
  readonly organisationId: string;
  /** Names and values by turns; `host`, `content-length` and `user-agent` are added. */
  readonly headers: HeaderList;
  /** In place of the client's own. */
  readonly userAgent?: string;
  readonly body: Uint8Array;
  /** For everything: name, connection, request and the whole answer. */
  readonly timeoutMs: number;
  /** Asked just before bytes are written, once the connection is there; while it says no, nothing is sent. */
  readonly mayWrite?: () => boolean;
}

/** What came of a request. */
export interface Exchange {
  readonly outcome: AttemptOutcome;
  /** Null when no head of an answer came. */
  readonly status: number | null;
  readonly response: AttemptResponse | null;
  /** What Retry-After asks for, bounded; null on success or without one. */
  readonly retryAfterMs: number | null;
  /** The address that was connected to; null when there was no connection. */
  readonly address: string | null;
  /** A sentence for people; null on success. */
  readonly error: string | null;
  readonly durationMs: number;
}

export interface WebhookClient {
  /** Sends with POST. Never rejects: whatever a receiver does is an outcome. Null: `mayWrite` said no, and not a byte was sent. */
  send(request: WebhookRequest): Promise<Exchange | null>;
  /** Closes idle connections; resolves when those in use have been closed too. Stop sending first. */
  close(): Promise<void>;
}

export interface WebhookClientOptions {
  readonly resolver: TargetResolver;
  readonly clock: Clock;
  /** Such as `Posthorn/1.2.3`. */
  readonly userAgent: string;
  /** How many connections an organisation may have to one origin. */
  readonly maxConnectionsPerOrigin?: number;
  /** How many idle connections are kept in all. */
  readonly maxIdleConnections?: number;
  /** A forward proxy that every request goes through (see tunnel.ts); none when null or absent. */
  readonly egressProxy?: URL | null;
  /** Certificate authorities in PEM that are trusted beside the system's. */
  readonly extraCertificateAuthorities?: readonly string[];
}

export function createWebhookClient(options: WebhookClientOptions): WebhookClient {
  const { resolver, clock, userAgent, egressProxy = null, extraCertificateAuthorities = [] } = options;
  const trusted = { ca: [...getCACertificates('default'), ...extraCertificateAuthorities] };
  const pool = createConnectionPool({
    resolver,
    clock,
    // Made once: reading the authorities takes longer than a handshake.
    secureContext: createSecureContext(extraCertificateAuthorities.length > 0 ? trusted : {}),
    proxy: egressProxy === null ? null : egressProxyOf(egressProxy),
    maxConnectionsPerOrigin: options.maxConnectionsPerOrigin ?? 256,
    maxIdleConnections: options.maxIdleConnections ?? 1_024,
  });

  async function send(request: WebhookRequest): Promise<Exchange | null> {
    const startedAt = clock.monotonic();
    const deadline = startDeadline(clock, request.timeoutMs);
    const attempted = await attempt(request, deadline);
    deadline.clear();
    if (attempted === null) return null;
    return judge(attempted.result, attempted.address, clock.monotonic() - startedAt);
  }

  async function attempt(request: WebhookRequest, deadline: Deadline): Promise<Attempted | null> {
    const { url: text, organisationId, headers, userAgent: ofRequest = userAgent, body } = request;
    const { mayWrite = always } = request;
    const url = URL.parse(text);
    if (url === null) return failed({ outcome: 'internal', message: 'The URL is not valid.' });
    const outgoing = {
      path: url.pathname + url.search,
      headers: [...headers, 'user-agent', ofRequest],
      body,
    };

    const idle = pool.takeIdle(url, organisationId);
    const first = idle ?? (await pool.open(url, organisationId, deadline));
    if ('outcome' in first) return failed(first);
    if (!mayWrite()) {
      first.release();
      return null;
    }
    const attempted = await sendOver(first, outgoing, deadline);
    if (!first.isReused || !attempted.result.isUnanswered || deadline.isExpired) return attempted;

    const second = await pool.open(url, organisationId, deadline);
    if ('outcome' in second) return failed(second);
    if (mayWrite()) return sendOver(second, outgoing, deadline);
    second.release();
    return attempted;
  }

  function judge(
    { failure, status, response }: ExchangeResult,
    address: string | null,
    durationMs: number,
  ): Exchange {
    const isSuccess = failure === null && status !== null && status >= 200 && status < 300;
    return {
      outcome: failure?.outcome ?? (isSuccess ? 'success' : 'http_error'),
      status,
      response,
      retryAfterMs: isSuccess
        ? null
        : parseRetryAfter(response?.headers['retry-after'], new Date(clock.now())),
      address,
      error: failure?.message ?? (isSuccess ? null : statusMessage(status)),
      durationMs: Math.round(durationMs),
    };
  }

  return { send, close: () => pool.close() };
}

const always = (): boolean => true;

interface Attempted {
  readonly result: ExchangeResult;
  readonly address: string | null;
}

async function sendOver(lease: Lease, request: OutgoingRequest, deadline: Deadline): Promise<Attempted> {
  const { address } = lease.connection;
  const result = await exchange(lease.connection, request, deadline);
  lease.release();
  return { result, address };
}

function failed(failure: Failure): Attempted {
  return { result: { failure, status: null, response: null, isUnanswered: false }, address: null };
}

function statusMessage(status: number | null): string {
  const isRedirect = status !== null && status >= 300 && status < 400;
  return `The receiver answered ${status}${isRedirect ? '; redirects are not followed' : ''}.`;
}
