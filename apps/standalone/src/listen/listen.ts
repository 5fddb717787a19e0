/** `posthorn listen`: a receiver to develop against. It verifies what it gets, prints it and answers as it is told. */
import type { Clock } from '@posthorn/runtime';
import { verify, type Verification } from '@posthorn/signing';
import { request } from 'undici';
import { exitCodes, CliError, type ExitCode } from '../exit-codes.ts';
import { printable } from '../terminal/printable.ts';
import type { EndpointResource } from '../client/resources.ts';
import type { Session } from '../session.ts';
import {
  startWebhookServer,
  type ReceivedWebhook,
  type WebhookAnswer,
  type WebhookServer,
} from './webhook-server.ts';

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** Secrets to verify with; with none (and no registration) nothing is verified. */
  readonly secrets: readonly string[];
  /** Where each request is passed on to; its answer becomes ours. */
  readonly forward: string | null;
  readonly status: number;
  /** So many requests are answered with 503 first. */
  readonly failFirst: number;
  /** Ends after so many requests; null: never. */
  readonly count: number | null;
  /** Makes an endpoint for this receiver and deletes it at the end. */
  readonly register: { readonly url: string | null; readonly eventTypes: readonly string[] | null } | null;
}

/** One request, as `--json` prints it. */
interface ListenedWebhook {
  readonly receivedAt: Date;
  readonly method: string;
  readonly path: string;
  readonly headers: ReceivedWebhook['headers'];
  readonly body: string;
  /** Null when there was no secret to verify with. */
  readonly verification: Verification | null;
  /** How it was answered. */
  readonly status: number;
}

/** Listens until the signal, or until `count` requests have come. Exit code 1 when a signature was wrong. */
export async function listen(session: Session, options: ListenOptions): Promise<ExitCode> {
  const { io, output } = session;
  const ended = new AbortController();
  const secrets = [...options.secrets];
  let received = 0;
  let isRefused = false;

  const answer = async (webhook: ReceivedWebhook): Promise<WebhookAnswer> => {
    received += 1;
    const number = received;
    const verification = secrets.length === 0 ? null : verifyWebhook(webhook, secrets, io.clock.now());
    if (verification?.valid === false) isRefused = true;
    const given = await chooseAnswer(webhook, verification, number, options, io.signal);
    await print({
      ...webhook,
      body: Buffer.from(webhook.body).toString(),
      verification,
      status: given.status,
    });
    if (number === options.count) ended.abort();
    return given;
  };

  const print = (webhook: ListenedWebhook): Promise<void> =>
    output.item(webhook, () => [
      [
        output.style('dim', webhook.receivedAt.toISOString()),
        `${webhook.method} ${printable(webhook.path)}`,
        printable(String(webhook.headers['webhook-id'] ?? 'no webhook-id')),
        verdict(webhook.verification, output),
        `answered ${webhook.status}`,
      ].join('  '),
      ...webhook.body.split('\n').map((line) => `  ${printable(line)}`),
    ]);

  const server = await startServer(options, io.clock, answer);
  const endpoint = options.register && (await register(session, server, options.register));
  try {
    if (endpoint?.secret) secrets.push(endpoint.secret);
    await output.text(`listening on ${server.url}${endpoint ? ` as endpoint ${endpoint.id}` : ''}`);
    if (output.json) output.note(`listening on ${server.url}`);
    await aborted(AbortSignal.any([io.signal, ended.signal]));
  } finally {
    if (endpoint) await session.api.send('DELETE', `/v1/endpoints/${endpoint.id}`);
    await server.close();
  }
  return isRefused ? exitCodes.failure : exitCodes.ok;
}

async function startServer(
  { host, port }: ListenOptions,
  clock: Clock,
  answer: (webhook: ReceivedWebhook) => Promise<WebhookAnswer>,
): Promise<WebhookServer> {
  try {
    return await startWebhookServer({ host, port, clock, answer });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(exitCodes.failure, `Can't listen on port ${port} of ${host}: ${reason}.`);
  }
}

async function register(
  { api }: Session,
  server: WebhookServer,
  { url, eventTypes }: NonNullable<ListenOptions['register']>,
): Promise<EndpointResource> {
  try {
    return await api.send<EndpointResource>('POST', '/v1/endpoints', {
      body: { url: url ?? server.url, name: 'posthorn listen', eventTypes: eventTypes ?? undefined },
    });
  } catch (error) {
    await server.close();
    throw error;
  }
}

function verifyWebhook(
  { headers, body }: ReceivedWebhook,
  secrets: readonly string[],
  nowMs: number,
): Verification {
  return verify({ headers, body }, { secrets, nowSeconds: nowMs / 1_000 });
}

async function chooseAnswer(
  webhook: ReceivedWebhook,
  verification: Verification | null,
  number: number,
  { status, failFirst, forward }: ListenOptions,
  signal: AbortSignal,
): Promise<WebhookAnswer> {
  if (verification?.valid === false) return { status: 401, body: verification.message };
  if (number <= failFirst) return { status: 503 };
  return forward === null ? { status } : forwardTo(forward, webhook, signal);
}

/** Headers that belong to one connection (RFC 9110, section 7.6.1), and those that undici sets itself. */
const ownHeaders = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'host',
  'content-length',
]);

async function forwardTo(
  target: string,
  { method, headers, body }: ReceivedWebhook,
  signal: AbortSignal,
): Promise<WebhookAnswer> {
  try {
    const response = await request(target, {
      method: method as 'POST',
      headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !ownHeaders.has(name))),
      body: method === 'GET' || method === 'HEAD' ? null : body,
      signal,
    });
    return { status: response.statusCode, body: await response.body.bytes() };
  } catch (error) {
    return { status: 502, body: error instanceof Error ? error.message : String(error) };
  }
}

function verdict(verification: Verification | null, { style }: Session['output']): string {
  if (verification === null) return style('yellow', 'not verified: no secret was given');
  return verification.valid ? style('green', 'verified') : style('red', `REFUSED: ${verification.message}`);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
