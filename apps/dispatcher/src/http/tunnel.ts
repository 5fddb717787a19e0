/**
 * A way through the egress proxy to one address, by HTTP CONNECT (RFC 9110, section 9.3.6). The proxy is told the address that was
 * checked, never a name: what it would resolve that name to is none of our business, and so can't be used against us.
 *
 * Whose fault a failure is decides on its outcome. That the proxy can't be reached, breaks off or refuses us is ours (`internal`): it
 * says nothing about the receiver. That it could not reach the receiver (502, 503, 504, or no answer in time) is what we would have
 * seen ourselves without it.
 */
import { request as httpRequest, type ClientRequest } from 'node:http';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import type { Deadline } from './deadline.ts';
import type { Failure } from './failure.ts';

export interface EgressProxy {
  readonly isTls: boolean;
  /** A name or an address, without brackets. The system resolves it: it is the operator's, and may be private. */
  readonly host: string;
  readonly port: number;
  /** The whole value of Proxy-Authorization; null when the proxy asks for none. */
  readonly authorization: string | null;
}

/** The largest head of the proxy's answer, in bytes. */
const maxAnswerHeadBytes = 16_384;

/** A proxy by its URL (`configParsers.proxyUrl` has looked at it). */
export function egressProxyOf(url: URL): EgressProxy {
  const { protocol, hostname, port, username, password } = url;
  const isTls = protocol === 'https:';
  const credentials = [username, password].map(decodeURIComponent).join(':');
  return {
    isTls,
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? (isTls ? 443 : 80) : Number(port),
    authorization:
      username === '' && password === '' ? null : `Basic ${Buffer.from(credentials).toString('base64')}`,
  };
}

export interface TunnelTarget {
  readonly proxy: EgressProxy;
  /** Whom to trust where the proxy is spoken to over TLS. */
  readonly secureContext: SecureContext;
  readonly address: string;
  readonly port: number;
}

/** A connection that ends at the address; never rejects. Whoever has it listens for its errors. */
export function openTunnel(
  { proxy, secureContext, address, port }: TunnelTarget,
  deadline: Pick<Deadline, 'timeoutMs' | 'onExpire'>,
): Promise<Socket | Failure> {
  return new Promise((resolve) => {
    let isReached = false;
    const socket = connectToProxy(proxy, secureContext, () => {
      isReached = true;
    });
    const request = askForTunnel(socket, proxy, `${isIP(address) === 6 ? `[${address}]` : address}:${port}`);
    const fail = (failure: Failure): void => {
      request.destroy();
      socket.destroy();
      resolve(failure);
    };
    request.on('connect', ({ statusCode = 0 }, _socket, rest) => {
      if (statusCode < 200 || statusCode > 299) {
        fail(refusal(statusCode));
        return;
      }
      if (rest.length > 0) socket.unshift(rest);
      resolve(socket);
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      fail(
        isReached
          ? fault('The egress proxy ended the connection, or answered in no way that we understand.')
          : fault(`The egress proxy could not be reached (${error.code ?? 'unknown error'}).`),
      );
    });
    deadline.onExpire = () => {
      fail(
        isReached
          ? {
              outcome: 'timeout',
              message: `The egress proxy made no connection to the receiver within ${deadline.timeoutMs} ms.`,
            }
          : fault(`The egress proxy could not be reached within ${deadline.timeoutMs} ms.`),
      );
    };
  });
}

function connectToProxy(
  { isTls, host, port }: EgressProxy,
  secureContext: SecureContext,
  onReady: () => void,
): Socket {
  const options = { host, port, noDelay: true, autoSelectFamily: true };
  if (!isTls) return connectTcp(options, onReady);
  const servername = isIP(host) === 0 ? host : '';
  return connectTls({ ...options, secureContext, servername, rejectUnauthorized: true }, onReady);
}

function askForTunnel(socket: Socket, { authorization }: EgressProxy, target: string): ClientRequest {
  const headers = {
    host: target,
    connection: 'keep-alive',
    'proxy-connection': 'keep-alive',
    ...(authorization !== null && { 'proxy-authorization': authorization }),
  };
  const request = httpRequest({
    method: 'CONNECT',
    path: target,
    headers,
    maxHeaderSize: maxAnswerHeadBytes,
    createConnection: () => socket,
  });
  request.end();
  return request;
}

function refusal(status: number): Failure {
  switch (status) {
    case 502:
    case 503:
      return { outcome: 'refused', message: `The egress proxy could not reach the receiver (${status}).` };
    case 504:
      return { outcome: 'timeout', message: 'The egress proxy did not reach the receiver in time (504).' };
    case 407:
      return fault('The egress proxy does not accept our credentials (407).');
    default:
      return fault(`The egress proxy refused to connect to the receiver (${status}).`);
  }
}

function fault(message: string): Failure {
  return { outcome: 'internal', message };
}
