/**
 * A TCP proxy for tests of what a network does to a client and its server: connections that break, hang, are slow, or
 * break at the worst moment, after a request got through and before its answer did.
 *
 * It knows no protocol: it passes on bytes as they come. That a request is one chunk, which `cutReplyTo` relies on, holds
 * for clients that write a request at a time and don't pipeline.
 */
import { createServer, connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** Where connections are forwarded to. */
export interface TcpProxyTarget {
  /** 127.0.0.1 when absent. */
  readonly host?: string;
  readonly port: number;
}

export interface TcpProxy {
  /** On 127.0.0.1. */
  readonly port: number;
  /** How many connections are open now. */
  readonly openConnections: number;
  /** Where connections go that are made from now on. */
  forwardTo(target: TcpProxyTarget): void;
  /** Breaks all connections that are open now, for both sides. */
  cut(): void;
  /** Breaks what is open, and each new connection at once, until `accept`. */
  refuse(): void;
  accept(): void;
  /** Keeps connections open and takes new ones, but passes nothing on, in either direction, until `flow`. */
  hang(): void;
  flow(): void;
  /** Passes on what comes from now on this much later, in both directions; 0 is at once again. */
  delay(delayMs: number): void;
  /**
   * Forwards the next request that matches, and breaks its connection as soon as the server answers; the answer is lost.
   *
   * @returns resolves when that has happened
   */
  cutReplyTo(matches: (request: Buffer) => boolean): Promise<void>;
  close(): Promise<void>;
}

interface AwaitedRequest {
  readonly matches: (request: Buffer) => boolean;
  readonly onCut: () => void;
}

/** Starts it; connections are refused until there is a target. */
export async function createTcpProxy(firstTarget?: TcpProxyTarget): Promise<TcpProxy> {
  let target = firstTarget;
  let isRefusing = false;
  let isHanging = false;
  let delayMs = 0;
  let awaited: readonly AwaitedRequest[] = [];
  const connections = new Set<Connection>();

  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (isRefusing || target === undefined) {
      client.on('error', () => {});
      client.resetAndDestroy();
      return;
    }
    const { host = '127.0.0.1', port } = target;
    const upstream = connect({ host, port, allowHalfOpen: true });
    let lostReply: AwaitedRequest | undefined;
    const connection = createConnection(client, upstream, {
      delayMs: () => delayMs,
      onRequest(chunk) {
        const request = awaited.find(({ matches }) => matches(chunk));
        if (request === undefined) return;
        awaited = awaited.filter((other) => other !== request);
        lostReply = request;
      },
      passesReply() {
        if (lostReply === undefined) return true;
        connection.cut();
        lostReply.onCut();
        lostReply = undefined;
        return false;
      },
      onClose: () => connections.delete(connection),
    });
    connections.add(connection);
    if (isHanging) connection.hang();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => connections.forEach((connection) => connection.cut());

  return {
    port: (server.address() as AddressInfo).port,
    get openConnections() {
      return connections.size;
    },
    forwardTo(next) {
      target = next;
    },
    cut,
    refuse() {
      isRefusing = true;
      cut();
    },
    accept() {
      isRefusing = false;
    },
    hang() {
      isHanging = true;
      connections.forEach((connection) => connection.hang());
    },
    flow() {
      isHanging = false;
      connections.forEach((connection) => connection.flow());
    },
    delay(nextMs) {
      delayMs = nextMs;
    },
    cutReplyTo(matches) {
      return new Promise((resolve) => {
        awaited = [...awaited, { matches, onCut: resolve }];
      });
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      cut();
      await closed;
    },
  };
}

interface Connection {
  cut(): void;
  hang(): void;
  flow(): void;
}

interface ConnectionRules {
  readonly delayMs: () => number;
  readonly onRequest: (chunk: Buffer) => void;
  /** Whether what the server sent reaches the client. */
  readonly passesReply: (chunk: Buffer) => boolean;
  readonly onClose: () => void;
}

function createConnection(client: Socket, upstream: Socket, rules: ConnectionRules): Connection {
  const toUpstream = createLine(client, upstream, rules.delayMs);
  const toClient = createLine(upstream, client, rules.delayMs);
  client.on('data', (chunk: Buffer) => {
    rules.onRequest(chunk);
    toUpstream.send(chunk);
  });
  upstream.on('data', (chunk: Buffer) => {
    if (rules.passesReply(chunk)) toClient.send(chunk);
  });

  function cut(): void {
    toUpstream.stop();
    toClient.stop();
    client.resetAndDestroy();
    upstream.resetAndDestroy();
    rules.onClose();
  }
  for (const [socket, line, back] of [
    [client, toUpstream, toClient],
    [upstream, toClient, toUpstream],
  ] as const) {
    // A side that broke is told by 'close'.
    socket.on('error', () => {});
    socket.once('end', () => line.send(null));
    socket.once('close', (hadError) => {
      if (hadError || (line.isDone() && back.isDone())) cut();
    });
  }
  return {
    cut,
    hang() {
      toUpstream.hang();
      toClient.hang();
    },
    flow() {
      toUpstream.flow();
      toClient.flow();
    },
  };
}

/** One direction of a connection. */
interface Line {
  /** Passes on bytes, or the end. */
  send(chunk: Buffer | null): void;
  hang(): void;
  flow(): void;
  isDone(): boolean;
  stop(): void;
}

function createLine(from: Socket, to: Socket, delayMs: () => number): Line {
  const waiting: { readonly chunk: Buffer | null; readonly dueAt: number }[] = [];
  let isHanging = false;
  let isDone = false;
  let timer: NodeJS.Timeout | undefined;

  function pass(): void {
    clearTimeout(timer);
    timer = undefined;
    while (!isHanging) {
      const next = waiting[0];
      if (next === undefined) return;
      const remainingMs = next.dueAt - performance.now();
      if (remainingMs > 0) {
        timer = setTimeout(pass, remainingMs);
        return;
      }
      waiting.shift();
      if (next.chunk === null) {
        isDone = true;
        to.end();
      } else if (!to.write(next.chunk)) {
        from.pause();
        to.once('drain', () => {
          if (!isHanging) from.resume();
        });
      }
    }
  }

  return {
    send(chunk) {
      waiting.push({ chunk, dueAt: performance.now() + delayMs() });
      if (timer === undefined) pass();
    },
    hang() {
      isHanging = true;
      from.pause();
    },
    flow() {
      isHanging = false;
      from.resume();
      pass();
    },
    isDone: () => isDone,
    stop() {
      isHanging = true;
      clearTimeout(timer);
      waiting.length = 0;
    },
  };
}
