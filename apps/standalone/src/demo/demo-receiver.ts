/**
 * The demo's receiver: one path for each endpoint. Signatures are verified with `standardwebhooks`, the specification's own
 * library, which shares nothing with ours.
 */
import type { Clock } from '@posthorn/runtime';
import { Webhook } from 'standardwebhooks';
import { startWebhookServer, type ReceivedWebhook, type WebhookServer } from '../listen/webhook-server.ts';

/** What came for one endpoint. */
export interface Received {
  /** Ids of the webhooks that were verified and answered with 200. */
  readonly verified: ReadonlySet<string>;
  /** Requests that were answered with 503 on purpose. */
  readonly turnedAway: number;
  /** Requests whose signature was wrong. */
  readonly refused: number;
  /** Requests for a webhook that had been answered with 200 before. */
  readonly repeated: number;
}

export interface DemoReceiver {
  readonly url: string;
  /** Opens a path; requests before that are answered with 404. */
  open(path: string, options: { readonly secret: string; readonly failsForMs: number }): void;
  received(path: string): Received;
  close(): Promise<void>;
}

interface Inbox {
  readonly webhook: Webhook;
  readonly failsForMs: number;
  failsUntil: number | null;
  readonly verified: Set<string>;
  turnedAway: number;
  refused: number;
  repeated: number;
}

export async function startDemoReceiver(clock: Clock): Promise<DemoReceiver> {
  const inboxes = new Map<string, Inbox>();
  const server: WebhookServer = await startWebhookServer({
    host: '127.0.0.1',
    port: 0,
    clock,
    answer: (received) => {
      const inbox = inboxes.get(received.path);
      return { status: inbox === undefined ? 404 : take(inbox, received) };
    },
  });
  return {
    url: server.url,
    open(path, { secret, failsForMs }) {
      inboxes.set(path, {
        webhook: new Webhook(secret),
        failsForMs,
        failsUntil: null,
        verified: new Set(),
        turnedAway: 0,
        refused: 0,
        repeated: 0,
      });
    },
    received: (path) => inboxes.get(path) ?? { verified: new Set(), turnedAway: 0, refused: 0, repeated: 0 },
    close: () => server.close(),
  };
}

function take(inbox: Inbox, { headers, body, receivedAt }: ReceivedWebhook): number {
  const id = String(headers['webhook-id']);
  try {
    inbox.webhook.verify(Buffer.from(body).toString(), {
      'webhook-id': id,
      'webhook-timestamp': String(headers['webhook-timestamp']),
      'webhook-signature': String(headers['webhook-signature']),
    });
  } catch {
    inbox.refused += 1;
    return 401;
  }
  inbox.failsUntil ??= receivedAt.getTime() + inbox.failsForMs;
  if (receivedAt.getTime() < inbox.failsUntil) {
    inbox.turnedAway += 1;
    return 503;
  }
  if (inbox.verified.has(id)) inbox.repeated += 1;
  inbox.verified.add(id);
  return 200;
}
