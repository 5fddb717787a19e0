/**
 * A forward proxy for tests, on a free port of 127.0.0.1: it connects to what CONNECT names, and remembers what it was asked. It can be
 * told to misbehave, as proxies do.
 */
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, type Socket } from 'node:net';

export interface ForwardProxyOptions {
  /** Key and certificate in PEM: a proxy that is spoken to over TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** `user:password`; others are answered 407. */
  readonly credentials?: string;
}

/**
 * `serve`: connects and carries bytes. A number: answers that status. `hang`: never answers. `close`: ends the connection without an
 * answer. `garbage`: answers what is no HTTP.
 */
export type ProxyBehaviour = 'serve' | 'hang' | 'close' | 'garbage' | number;

export interface ForwardProxy {
  /** With the credentials in it that it asks for. */
  readonly url: string;
  readonly port: number;
  /** What it was asked to connect to, as `address:port`. */
  readonly targets: readonly string[];
  /** How many connections were ever made to it. */
  readonly connectionCount: number;
  readonly openTunnelCount: number;
  /** From the next request on; for one target only when it is given. */
  behave(behaviour: ProxyBehaviour, target?: string): void;
  /** Ends all tunnels at once, as when the proxy is restarted. */
  cutTunnels(): void;
  close(): Promise<void>;
}

/** Starts it. */
export async function startForwardProxy({
  tls,
  credentials,
}: ForwardProxyOptions = {}): Promise<ForwardProxy> {
  const targets: string[] = [];
  const sockets = new Set<Socket>();
  const tunnels = new Set<Socket>();
  const behaviours = new Map<string, ProxyBehaviour>();
  let usual: ProxyBehaviour = 'serve';
  let connectionCount = 0;

  const server = tls === undefined ? createHttpServer() : createHttpsServer(tls);
  server.on('connection', (socket: Socket) => {
    connectionCount++;
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('connect', ({ url = '', headers }, client: Socket) => {
    client.on('error', () => client.destroy());
    targets.push(url);
    const expected = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`;
    const isAllowed = expected === undefined || headers['proxy-authorization'] === expected;
    const behaviour = isAllowed ? (behaviours.get(url) ?? usual) : 407;
    if (behaviour === 'serve') carry(client, url);
    else if (behaviour === 'close') client.destroy();
    else if (behaviour === 'garbage') client.end('SSH-2.0-OpenSSH_9.2\r\n');
    else if (behaviour !== 'hang') client.end(`HTTP/1.1 ${behaviour} No\r\ncontent-length: 0\r\n\r\n`);
  });

  function carry(client: Socket, target: string): void {
    const { hostname, port } = new URL(`http://${target}`);
    const far = connect({ host: hostname.replace(/[[\]]/g, ''), port: Number(port || 80) }, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      tunnels.add(client);
      far.pipe(client).pipe(far);
    });
    far.on('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n'));
    far.on('close', () => client.destroy());
    client.on('close', () => {
      tunnels.delete(client);
      far.destroy();
    });
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${credentials === undefined ? '' : `${credentials}@`}127.0.0.1:${address.port}`,
    port: address.port,
    targets,
    get connectionCount() {
      return connectionCount;
    },
    get openTunnelCount() {
      return tunnels.size;
    },
    behave(behaviour, target) {
      if (target === undefined) usual = behaviour;
      else behaviours.set(target, behaviour);
    },
    cutTunnels() {
      for (const tunnel of tunnels) tunnel.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
