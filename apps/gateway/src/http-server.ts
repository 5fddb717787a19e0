/**
 * The HTTP server's life: limits that end what never ends, a clear message when the port is taken, and a stop that
 * finishes what was begun. While it stops, answers say `Connection: close`, so that load balancers and clients go elsewhere.
 */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { DomainError } from '@posthorn/models';
import type { Clock, Timer } from '@posthorn/runtime';

export interface HttpServerOptions {
  readonly handler: RequestListener;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly clock: Clock;
  /** How long a whole request may take to arrive; 30 s when absent. */
  readonly requestTimeoutMs?: number;
}

/** See `createHttpServer`. */
export interface HttpServer {
  /** Resolves to the port once connections are accepted. Rejects with what to do when it can't be had. */
  start(): Promise<number>;
  /** Accepts nothing new and resolves when what was begun is answered, or cut off after `graceMs`. May be called twice. */
  stop(graceMs: number): Promise<void>;
}

const headersTimeoutMs = 15_000;
/** Longer than the usual load balancer's 60 s: the side that opened an idle connection should be the one that closes it. */
const keepAliveTimeoutMs = 65_000;
const maxHeaderBytes = 16 * 1024;
/** How often connections that became idle are closed while the server stops. */
const sweepMs = 50;

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { handler, host, port, clock, requestTimeoutMs = 30_000 } = options;
  let isStopping = false;
  /** The latest response on each open connection: what has to learn that the server stops. */
  const latest = new Map<Socket, ServerResponse | null>();

  const onRequest = (req: IncomingMessage, res: ServerResponse): void => {
    latest.set(req.socket, res);
    if (isStopping) res.setHeader('Connection', 'close');
    handler(req, res);
  };
  const server: Server = createServer({
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(5_000, requestTimeoutMs),
  });
  server.on('connection', (socket) => {
    latest.set(socket, null);
    socket.on('close', () => latest.delete(socket));
  });
  server.on('request', onRequest);
  // Without this listener Node sends "100 Continue" at once; ours is sent when the body is wanted (read-body.ts).
  server.on('checkContinue', onRequest);
  server.on('clientError', answerUnreadable);
  let stopped: Promise<void> | undefined;

  async function stop(graceMs: number): Promise<void> {
    isStopping = true;
    if (!server.listening) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const res of latest.values()) {
      if (res !== null && !res.headersSent) res.setHeader('Connection', 'close');
    }
    const endsAt = clock.monotonic() + graceMs;
    let timer: Timer | undefined;
    // Answers whose head was sent already leave a connection behind that would stay open for another request.
    const sweep = (): void => {
      if (clock.monotonic() >= endsAt) server.closeAllConnections();
      else server.closeIdleConnections();
      timer = clock.setTimeout(sweep, Math.min(sweepMs, Math.max(0, endsAt - clock.monotonic())));
    };
    sweep();
    await closed;
    clock.clearTimeout(timer);
  }

  return {
    start: () =>
      new Promise((resolve, reject) => {
        server.once('error', (error) => reject(listenError(error, host, port)));
        server.listen({ host, port }, () => resolve((server.address() as AddressInfo).port));
      }),
    stop: (graceMs) => (stopped ??= stop(graceMs)),
  };
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} of ${host} is taken; stop what listens there, or set POSTHORN_PORT to another port (0: any free one)`,
    EACCES: `port ${port} may not be used by this user; set POSTHORN_PORT to one above 1023`,
    EADDRNOTAVAIL: `${host} is not an address of this machine; set POSTHORN_HOST to one that is`,
    ENOTFOUND: `${host} has no address; set POSTHORN_HOST to an address of this machine`,
  };
  const reason = reasons[error.code ?? ''] ?? error.message;
  return new DomainError('failed_precondition', `Can't listen: ${reason}.`, { cause: error });
}

/** Requests that never became one: there is no route and no request id, only a socket to say it on. */
const unreadable: Readonly<Record<string, { status: string; code: string; detail: string }>> = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    code: 'deadline_exceeded',
    detail: 'The request took too long to arrive.',
  },
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    code: 'payload_too_large',
    detail: `The request's head is larger than ${maxHeaderBytes} bytes.`,
  },
};
const malformed = {
  status: '400 Bad Request',
  code: 'invalid_argument',
  detail: 'This is not a HTTP request.',
};

function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const { status, code, detail } = unreadable[error.code ?? ''] ?? malformed;
  const body = JSON.stringify({
    type: `urn:posthorn:problem:${code}`,
    title: status.slice(4),
    status: Number(status.slice(0, 3)),
    code,
    detail,
  });
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nX-Content-Type-Options: nosniff\r\n\r\n${body}`,
  );
}
