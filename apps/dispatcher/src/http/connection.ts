/**
 * One connection to a receiver, for HTTP/1.1 requests one after the other. It goes to the very addresses that were checked:
 * the socket's look-up gives nothing else, and where it ended up is checked once more. undici gets the socket when it is
 * ready, and never a second one: a request on a connection that has ended fails here, and isn't sent over another behind our back.
 */
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import { Client } from 'undici';
import type { Deadline } from './deadline.ts';
import { failureOf, type Failure } from './failure.ts';

/** The largest head of an answer, in bytes. */
const maxResponseHeadBytes = 16_384;
/** How long a connection may lie idle when the receiver doesn't say how long it keeps it, and at most. */
const idleMs = 4_000;
const maxIdleMs = 30_000;
/** How long to wait for one address before the next one is tried. */
const addressAttemptMs = 1_000;

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
  /** The check of the address that was reached in the end. */
  isAllowed(address: string): boolean;
}

/** Makes a connection, TLS handshake included; never rejects. */
export function openConnection(target: ConnectionTarget, deadline: Deadline): Promise<Connection | Failure> {
  return new Promise((resolve) => {
    const socket = startSocket(target, onReady);
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
      const address = socket.remoteAddress;
      if (address !== undefined && target.isAllowed(address)) {
        resolve(wrapSocket(target.url, socket, address));
        return;
      }
      socket.destroy();
      resolve(
        address === undefined
          ? closedAtOnce
          : {
              outcome: 'blocked',
              message: 'The connection went to an address that deliveries may not reach.',
            },
      );
    }
  });
}

const closedAtOnce: Failure = { outcome: 'reset', message: 'The connection was closed at once.' };

function startSocket({ url, addresses, secureContext }: ConnectionTarget, onReady: () => void): Socket {
  const isTls = url.protocol === 'https:';
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const options = {
    host,
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    // Not called for a host that is an address: that one was checked as it is.
    lookup: onlyThese(addresses),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: addressAttemptMs,
    noDelay: true,
  };
  if (!isTls) return connectTcp(options, onReady);
  // The certificate is always verified, whatever NODE_TLS_REJECT_UNAUTHORIZED says. A name is sent for SNI without the dot
  // that may end it, an address not at all (RFC 6066 section 3).
  const servername = isIP(host) === 0 ? host.replace(/\.$/, '') : '';
  const tls = { secureContext, servername, rejectUnauthorized: true, ALPNProtocols: ['http/1.1'] };
  return connectTls({ ...options, ...tls }, onReady);
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
