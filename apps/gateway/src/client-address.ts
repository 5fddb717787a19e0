/**
 * Where a request comes from. Whoever connects may write into X-Forwarded-For what he likes, so it is read from its end, where the nearest
 * proxy wrote, and only as far as there are proxies that are known: the first address that is none of theirs is the client.
 */
import type { IncomingMessage } from 'node:http';
import type { AllowList } from '@posthorn/models';
import type { RequestSource } from '@posthorn/rpc';

/** Far more proxies than there are in a row. */
const maxHops = 32;

export function clientAddressOf(req: IncomingMessage, trusted: AllowList): string | undefined {
  let address = plain(req.socket.remoteAddress);
  const forwarded = req.headers['x-forwarded-for'];
  if (address === undefined || forwarded === undefined || !trusted.contains(address)) return address;
  const hops = (typeof forwarded === 'string' ? forwarded : forwarded.join()).split(',');
  for (const hop of hops.slice(-maxHops).reverse()) {
    address = plain(hop.trim());
    if (address === undefined || !trusted.contains(address)) return address;
  }
  return address;
}

/** A source that is looked at only when an action is put on record. */
export class ClientSource implements RequestSource {
  readonly #req: IncomingMessage;
  readonly #trusted: AllowList;

  constructor(req: IncomingMessage, trusted: AllowList) {
    this.#req = req;
    this.#trusted = trusted;
  }

  get address(): string | undefined {
    return clientAddressOf(this.#req, this.#trusted);
  }

  get userAgent(): string | undefined {
    return this.#req.headers['user-agent'];
  }
}

/** An IPv4 address as itself, also where the socket speaks IPv6; what a proxy doesn't know is nothing. */
function plain(address: string | undefined): string | undefined {
  if (address === undefined || address === '' || address === 'unknown') return undefined;
  return address.slice(0, 64).replace(/^::ffff:(?=\d+\.)/i, '');
}
