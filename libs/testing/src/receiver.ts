/**
 * Real receivers of webhooks for tests: an HTTP server on a free port that records what it gets and answers as it is told,
 * well or badly; and a bare TCP server for those that don't speak HTTP at all.
 */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { eventually } from './eventually.ts';
import type { ReceivedRequest } from './received-request.ts';
import type { Behaviour } from './receiver-behaviours.ts';
import { respond } from './receiver-behaviours.ts';

export interface ReceiverOptions {
  /** How it answers; a number is that status. 204 when absent. */
  readonly behaviour?: Behaviour | number;
  readonly host?: string;
  /** Key and certificate in PEM: an HTTPS receiver. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** How long the server keeps an idle connection; node's 5 s when absent. */
  readonly keepAliveTimeoutMs?: number;
}

export interface Listening {
  readonly port: number;
  /** How many connections were ever made to it. */
  readonly connectionCount: number;
  /** How many are open now. */
  readonly openConnectionCount: number;
  /** Ends all connections and stops. */
  close(): Promise<void>;
}

export interface Receiver extends Listening {
  /** `http://127.0.0.1:…`, without a path. */
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  /** Answers otherwise from the next request on. */
  behave(behaviour: Behaviour | number): void;
  /** Resolves with the requests as soon as there are that many. */
  waitFor(count: number, timeoutMs?: number): Promise<readonly ReceivedRequest[]>;
}

/** Starts a receiver on a free port. */
export async function startReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const requests: ReceivedRequest[] = [];
  let behaviour = toBehaviour(options.behaviour ?? 204);

  const onRequest = (incoming: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('error', () => response.destroy());
    incoming.on('end', () => {
      const request: ReceivedRequest = {
        number: requests.length + 1,
        method: incoming.method ?? '',
        path: incoming.url ?? '',
        headers: incoming.headers,
        rawHeaders: incoming.rawHeaders,
        body: Buffer.concat(chunks),
        receivedAt: Date.now(),
      };
      requests.push(request);
      behaviour({ request, response, socket: incoming.socket });
    });
  };
  const server = options.tls ? createHttpsServer(options.tls, onRequest) : createHttpServer(onRequest);
  server.keepAliveTimeout = options.keepAliveTimeoutMs ?? server.keepAliveTimeout;
  const listening = await listen(server, options.host);
  const host = options.host?.includes(':') ? `[${options.host}]` : (options.host ?? '127.0.0.1');

  return Object.assign(listening, {
    url: `${options.tls ? 'https' : 'http'}://${host}:${listening.port}`,
    requests,
    behave: (next: Behaviour | number) => {
      behaviour = toBehaviour(next);
    },
    waitFor: (count: number, timeoutMs = 10_000) =>
      eventually(
        () => {
          if (requests.length < count) throw new Error(`${requests.length} came`);
          return requests;
        },
        { timeoutMs, message: `Receiving ${count} requests` },
      ),
  });
}

/** Starts a server that leaves everything behind accepting the connection to `onConnection`; on a free port unless it is given. */
export function startTcpReceiver(
  onConnection: (socket: Socket, number: number) => void,
  host?: string,
  port?: number,
): Promise<Listening> {
  let connections = 0;
  const server = createTcpServer((socket) => {
    socket.on('error', () => socket.destroy());
    onConnection(socket, ++connections);
  });
  return listen(server, host, port);
}

function toBehaviour(behaviour: Behaviour | number): Behaviour {
  return typeof behaviour === 'number' ? respond(behaviour) : behaviour;
}

async function listen(server: Server, host = '127.0.0.1', port = 0): Promise<Listening> {
  const open = new Set<Socket>();
  let connectionCount = 0;
  server.on('connection', (socket: Socket) => {
    connectionCount++;
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The receiver has no port.');
  return {
    port: address.port,
    get connectionCount() {
      return connectionCount;
    },
    get openConnectionCount() {
      return open.size;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
