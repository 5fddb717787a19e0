/**
 * The admin port: `/livez` (the process answers; it asks for nothing else), `/readyz` (with reasons while no work should come
 * here) and `/metrics`. It is open from the first moment of the start to the very end, and asks for no key.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DomainError } from '@posthorn/models';
import type { Metrics } from './metrics.ts';

export interface AdminServerOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly metrics: Pick<Metrics, 'render' | 'contentType'>;
  /** Why no work should come here; none when it should. */
  readonly reasons: () => readonly string[];
}

/** See `startAdminServer`. */
export interface AdminServer {
  readonly port: number;
  close(): Promise<void>;
}

interface AdminAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Longer than anyone who asks here needs. */
const requestTimeoutMs = 5_000;

/** Listens; rejects with `failed_precondition` when the address can't be had. */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const { host, port } = options;
  const server = createServer(
    { requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs },
    (req, res) => void respond(req, res, options),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, host, port)));
    server.listen({ host, port }, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(
  req: IncomingMessage,
  res: ServerResponse,
  options: AdminServerOptions,
): Promise<void> {
  const { status, contentType, body } = await answer(req, options);
  res.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  });
  res.end(req.method === 'HEAD' ? '' : body);
}

async function answer(req: IncomingMessage, { metrics, reasons }: AdminServerOptions): Promise<AdminAnswer> {
  if (req.method !== 'GET' && req.method !== 'HEAD') return json(405, { status: 'only GET and HEAD' });
  const [path = '/'] = (req.url ?? '/').split('?');
  switch (path) {
    case '/livez':
      return json(200, { status: 'live' });
    case '/readyz': {
      const why = reasons();
      return why.length === 0
        ? json(200, { status: 'ready', reasons: why })
        : json(503, { status: 'not ready', reasons: why });
    }
    case '/metrics':
      try {
        return { status: 200, contentType: metrics.contentType, body: await metrics.render() };
      } catch {
        // One gauge that can't be read must not end the process.
        return json(500, { status: 'the metrics cannot be read' });
      }
    default:
      return json(404, { status: 'there are /livez, /readyz and /metrics' });
  }
}

function json(status: number, body: object): AdminAnswer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(body)}\n` };
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): DomainError {
  const reason = error.code === 'EADDRINUSE' ? 'the port is taken' : 'the address cannot be used';
  return new DomainError(
    'failed_precondition',
    `Can't open the admin port on ${host}:${port}: ${reason}; set POSTHORN_ADMIN_PORT to another port (0: any free one).`,
    { cause: error },
  );
}
