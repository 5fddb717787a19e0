/**
 * One connection to a receiver, for HTTP/1.1 requests one after the other. It goes to the very addresses that were checked:
 * the socket's look-up gives nothing else, and where it ended up is checked once more; an egress proxy is told one of them. undici gets the
 * socket when it is ready, and never a second one: a request on a connection that has ended fails here, and isn't sent over another behind our back.
 */
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import type { Clock } from '@posthorn/runtime';
import { Client } from 'undici';
import type { Deadline } from './deadline.ts';
import { failureOf, type Failure } from './failure.ts';
import { openTunnel, type EgressProxy } from './tunnel.ts';

/** The largest head of an answer, in bytes. */
const maxResponseHeadBytes = 16_384;
/** How long a connection may lie idle when the receiver doesn't say how long it keeps it, and at most. */
const idleMs = 4_000;
const maxIdleMs = 30_000;
/** How long to wait for one address before the next one is tried. */
const addressAttemptMs = 1_000;
/** The same through a proxy, which has a connection of its own to make. */
const proxiedAddressAttemptMs = 3_000;

export interface Connection {
  /** Speaks HTTP over this connection and no other. */
  readonly client: Client;
  /** The address that it goes to. */
  readonly address: string;
  /** Whether the socket can still be used, as far as we know. */
  readonly isOpen: boolean;
  /** Calls back once when it has ended, whoever ended it. */
  onClose(fn: () => void): void;
  /** Ends it at once, with whatever is under way on it. */
  destroy(): void;
}

export interface ConnectionTarget {
  readonly url: URL;
  /** Checked addresses; they are tried in this order. */
  readonly addresses: readonly string[];
  readonly secureContext: SecureContext;
  /** What every connection goes through; null: straight to the receiver. */
  readonly proxy: EgressProxy | null;
  readonly clock: Clock;
  /** The check of the address that was reached in the end. */
  isAllowed(address: string): boolean;
}

/** Makes a connection, TLS handshake included; never rejects. */
export async function openConnection(
  target: ConnectionTarget,
  deadline: Deadline,
): Promise<Connection | Failure> {
  const { url, proxy } = target;
  if (proxy === null) {
    const options = {
      host: hostOf(url),
      port: portOf(url),
      // Not called for a host that is an address: that one was checked as it is.
      lookup: onlyThese(target.addresses),
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: addressAttemptMs,
      noDelay: true,
    };
    return whenReady({
      target,
      deadline,
      start: (onReady) =>
        isTls(url)
          ? connectTls({ ...options, ...tlsOptions(target) }, onReady)
          : connectTcp(options, onReady),
      addressOf: (socket) => socket.remoteAddress,
    });
  }
  const tunnel = await openFirstTunnel({ ...target, proxy }, deadline);
  if ('outcome' in tunnel) return tunnel;
  const { socket: inner, address } = tunnel;
  inner.on('error', ignore);
  if (!isTls(url)) return wrapSocket(url, inner, address);
  return whenReady({
    target,
    deadline,
    start: (onReady) =>
      connectTls({ socket: inner, ...tlsOptions(target) }, onReady).once('close', () => inner.destroy()),
    addressOf: () => address,
  });
}

interface Starting {
  readonly target: ConnectionTarget;
  readonly deadline: Deadline;
  readonly start: (onReady: () => void) => Socket;
  /** Where it ended up; undefined when it has ended already. */
  readonly addressOf: (socket: Socket) => string | undefined;
}

function whenReady({ target, deadline, start, addressOf }: Starting): Promise<Connection | Failure> {
  return new Promise((resolve) => {
    const socket = start(onReady);
    socket.on('error', (error) => resolve(failureOf(error)));
    socket.once('close', () => resolve(closedAtOnce));
    deadline.onExpire = () => {
      socket.destroy();
      resolve({
        outcome: 'timeout',
        message: `No connection could be made within ${deadline.timeoutMs} ms.`,
      });
    };

    function onReady(): void {
      const address = addressOf(socket);
      if (address !== undefined && target.isAllowed(address)) {
        resolve(wrapSocket(target.url, socket, address));
        return;
      }
      socket.destroy();
      resolve(address === undefined ? closedAtOnce : notAllowed);
    }
  });
}

/** A tunnel to the first of the addresses that the proxy reaches. Each but the last has a bounded time. */
async function openFirstTunnel(
  target: ConnectionTarget & { readonly proxy: EgressProxy },
  deadline: Deadline,
): Promise<{ readonly socket: Socket; readonly address: string } | Failure> {
  const { url, addresses, proxy, secureContext, clock } = target;
  let failure: Failure = closedAtOnce;
  for (const [index, address] of addresses.entries()) {
    // Nobody else looks at it: what we see of the connection is the proxy's address.
    if (!target.isAllowed(address)) return notAllowed;
    const isLast = index === addresses.length - 1;
    const attempt = { timeoutMs: isLast ? deadline.timeoutMs : proxiedAddressAttemptMs, onExpire: ignore };
    const timer = isLast ? undefined : clock.setTimeout(() => attempt.onExpire(), proxiedAddressAttemptMs);
    deadline.onExpire = () => attempt.onExpire();
    const socket = await openTunnel({ proxy, secureContext, address, port: portOf(url) }, attempt);
    clock.clearTimeout(timer);
    if (!('outcome' in socket)) return { socket, address };
    failure = socket;
    if (failure.outcome === 'internal' || deadline.isExpired) break;
  }
  return failure;
}

const closedAtOnce: Failure = { outcome: 'reset', message: 'The connection was closed at once.' };
const notAllowed: Failure = {
  outcome: 'blocked',
  message: 'The connection went to an address that deliveries may not reach.',
};

function isTls(url: URL): boolean {
  return url.protocol === 'https:';
}

/** A name or an address, without brackets. */
function hostOf(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
}

function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return isTls(url) ? 443 : 80;
}

/**
 * The certificate is always verified, whatever NODE_TLS_REJECT_UNAUTHORIZED says. A name is sent for SNI without the dot
 * that may end it, an address not at all (RFC 6066 section 3); it is verified all the same.
 */
function tlsOptions({ url, secureContext }: ConnectionTarget) {
  const host = hostOf(url);
  const servername = isIP(host) === 0 ? host.replace(/\.$/, '') : '';
  return { host, secureContext, servername, rejectUnauthorized: true, ALPNProtocols: ['http/1.1'] };
}

/** A look-up whose answer is known. */
function onlyThese(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_hostname, options, callback) => {
    const [first] = found;
    if (options.all) callback(null, found);
    else if (first) callback(null, first.address, first.family);
    else callback(new Error('There is no address to connect to.'), '');
  };
}

function wrapSocket(url: URL, socket: Socket, address: string): Connection {
  let isGiven = false;
  const client = new Client(url.origin, {
    connect: (_options, callback) => {
      const given = isGiven ? null : socket;
      isGiven = true;
      // undici doesn't expect an answer before its own call has returned.
      queueMicrotask(() => (given ? callback(null, given) : callback(connectionEnded(), null)));
    },
    pipelining: 1,
    maxHeaderSize: maxResponseHeadBytes,
    keepAliveTimeout: idleMs,
    keepAliveMaxTimeout: maxIdleMs,
    // The deadline of the exchange is the only limit of time.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return {
    client,
    address,
    get isOpen() {
      return !socket.destroyed;
    },
    onClose: (fn) => socket.once('close', fn),
    destroy() {
      socket.destroy();
      void client.destroy();
    },
  };
}

function connectionEnded(): Error {
  return Object.assign(new Error('The connection has ended.'), { code: 'ECONNABORTED' });
}

function ignore(): void {
  // An error ends the socket, and that is what is waited for.
}
