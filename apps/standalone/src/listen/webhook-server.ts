/** A small HTTP server for receiving webhooks: what `posthorn listen` and the demo stand on. It keeps the bytes as they come. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '@posthorn/runtime';

export interface ReceivedWebhook {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The body as it came; cut at `maxBodyBytes`. */
  readonly body: Uint8Array;
  readonly receivedAt: Date;
}

export interface WebhookAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface WebhookServer {
  /** As in `http://127.0.0.1:8081`. */
  readonly url: string;
  /** Stops listening, and ends connections once their answers are sent. */
  close(): Promise<void>;
}

export interface WebhookServerOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly clock: Clock;
  /** Decides the answer; one that rejects is answered with 500. */
  readonly answer: (webhook: ReceivedWebhook) => Promise<WebhookAnswer> | WebhookAnswer;
}

/** More than any event: nobody fills our memory. */
const maxBodyBytes = 32 * 1024 * 1024;

/** Starts listening; rejects when the port can't be had. */
export function startWebhookServer({
  host,
  port,
  clock,
  answer,
}: WebhookServerOptions): Promise<WebhookServer> {
  let isClosing = false;
  const server = createServer((req, res) => {
    const receivedAt = new Date(clock.now());
    void readBody(req)
      .then((body) =>
        answer({ method: req.method ?? '', path: req.url ?? '/', headers: req.headers, body, receivedAt }),
      )
      .catch((): WebhookAnswer => ({ status: 500 }))
      .then(({ status, headers, body }) => {
        // An idle connection that is kept would keep us from ending.
        res.writeHead(status, { ...headers, ...(isClosing && { connection: 'close' }) });
        res.end(body, () => isClosing && server.closeIdleConnections());
      });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      const address = server.address() as AddressInfo;
      const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
      resolve({
        url: `http://${name}:${address.port}`,
        close: () =>
          new Promise((closed) => {
            isClosing = true;
            server.close(() => closed());
          }),
      });
    });
  });
}

async function readBody(req: IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of req as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size <= maxBodyBytes) parts.push(part);
  }
  return Buffer.concat(parts);
}
