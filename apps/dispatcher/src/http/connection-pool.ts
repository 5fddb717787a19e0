/**
 * Connections that are kept for the next request to the same place. A place is an origin of one organisation: no organisation
 * uses, waits for, or learns of another's connections. A connection lives for a minute at most, so that a receiver that moves
 * to another address is followed, and is only ever used for the origin whose address was checked when it was made, and while
 * that address may still be reached.
 */
import type { Clock, TargetResolver } from '@posthorn/runtime';
import type { SecureContext } from 'node:tls';
import { openConnection, type Connection } from './connection.ts';
import type { Deadline } from './deadline.ts';
import type { Failure } from './failure.ts';
import type { EgressProxy } from './tunnel.ts';

/** How long a connection is used, in milliseconds. */
const maxConnectionAgeMs = 60_000;

export interface ConnectionPoolOptions {
  readonly resolver: TargetResolver;
  readonly clock: Clock;
  readonly secureContext: SecureContext;
  /** What every connection goes through; null: straight to the receiver. */
  readonly proxy: EgressProxy | null;
  /** How many connections an organisation may have to one origin; more requests wait. */
  readonly maxConnectionsPerOrigin: number;
  /** How many idle connections are kept in all; the one unused for longest goes first. */
  readonly maxIdleConnections: number;
}

/** A connection that someone holds, until it is given back. */
export interface Lease {
  readonly connection: Connection;
  /** Whether it has carried a request before: the other side may be about to close it. */
  readonly isReused: boolean;
  /** Gives it back; a connection that is no longer good is closed. */
  release(): void;
}

export interface ConnectionPool {
  /** A connection that is idle now; undefined when there is none. */
  takeIdle(url: URL, organisationId: string): Lease | undefined;
  /** A new connection, or the next that is given back when there are as many as there may be; never rejects. */
  open(url: URL, organisationId: string, deadline: Deadline): Promise<Lease | Failure>;
  /** Closes what is idle, and from now on what is given back; resolves when nothing is open any more. */
  close(): Promise<void>;
}

/** The connections of one organisation to one origin. */
interface Place {
  readonly key: string;
  /** Open ones and those being opened. */
  count: number;
  readonly idle: Pooled[];
  readonly waiting: Waiter[];
}

interface Pooled {
  readonly place: Place;
  readonly connection: Connection;
  readonly openedAt: number;
}

/** Gets a connection that was given back, or `room` when it may open one: it is counted already. */
type Waiter = (given: Pooled | 'room') => void;

export function createConnectionPool(options: ConnectionPoolOptions): ConnectionPool {
  const { resolver, clock, secureContext, proxy, maxConnectionsPerOrigin, maxIdleConnections } = options;
  const places = new Map<string, Place>();
  /** All idle connections, the one unused for longest first. */
  const idle = new Set<Pooled>();
  let onEmpty: (() => void) | undefined;
  let isClosed = false;

  function placeOf(url: URL, organisationId: string): Place {
    const key = `${organisationId} ${url.origin}`;
    let place = places.get(key);
    if (!place) places.set(key, (place = { key, count: 0, idle: [], waiting: [] }));
    return place;
  }

  /** A connection has ended, or wasn't made: the next in line may make one. */
  function giveRoom(place: Place): void {
    const next = place.waiting.shift();
    if (next) {
      next('room');
      return;
    }
    place.count--;
    if (place.count > 0) return;
    places.delete(place.key);
    if (places.size === 0) onEmpty?.();
  }

  function isGood({ connection, openedAt }: Pooled): boolean {
    return (
      connection.isOpen &&
      clock.monotonic() - openedAt < maxConnectionAgeMs &&
      resolver.isAllowed(connection.address)
    );
  }

  function release(pooled: Pooled): void {
    const { place, connection } = pooled;
    if (isClosed || !isGood(pooled)) {
      connection.destroy();
      return;
    }
    const next = place.waiting.shift();
    if (next) {
      next(pooled);
      return;
    }
    place.idle.push(pooled);
    idle.add(pooled);
    const [oldest] = idle.size > maxIdleConnections ? idle : [];
    if (oldest) {
      forgetIdle(oldest);
      oldest.connection.destroy();
    }
  }

  function forgetIdle(pooled: Pooled): void {
    if (!idle.delete(pooled)) return;
    const { idle: idleHere } = pooled.place;
    idleHere.splice(idleHere.indexOf(pooled), 1);
  }

  function lease(pooled: Pooled, isReused: boolean): Lease {
    return { connection: pooled.connection, isReused, release: () => release(pooled) };
  }

  function waitInLine(place: Place, deadline: Deadline): Promise<Pooled | 'room' | Failure> {
    return new Promise((resolve) => {
      place.waiting.push(resolve);
      deadline.onExpire = () => {
        const index = place.waiting.indexOf(resolve);
        if (index === -1) return;
        place.waiting.splice(index, 1);
        const message = `All ${maxConnectionsPerOrigin} connections to the receiver were busy for ${deadline.timeoutMs} ms.`;
        resolve({ outcome: 'timeout', message });
      };
    });
  }

  async function connect(
    url: URL,
    organisationId: string,
    deadline: Deadline,
  ): Promise<Connection | Failure> {
    const found = resolver.resolve(url.hostname, organisationId);
    const answer = found instanceof Promise ? await orExpired(found, deadline) : found;
    if (answer === 'expired' || deadline.isExpired) {
      return { outcome: 'dns', message: `${url.hostname} was not resolved within ${deadline.timeoutMs} ms.` };
    }
    if (!answer.ok) return { outcome: answer.reason, message: answer.message };
    const { isAllowed } = resolver;
    const { addresses } = answer;
    return openConnection({ url, addresses, secureContext, proxy, clock, isAllowed }, deadline);
  }

  return {
    takeIdle(url, organisationId) {
      const place = places.get(`${organisationId} ${url.origin}`);
      // The one used last is the least likely to be closed by the other side.
      for (let pooled = place?.idle.at(-1); pooled; pooled = place?.idle.at(-1)) {
        forgetIdle(pooled);
        if (isGood(pooled)) return lease(pooled, true);
        pooled.connection.destroy();
      }
      return undefined;
    },

    async open(url, organisationId, deadline) {
      const place = placeOf(url, organisationId);
      if (place.count >= maxConnectionsPerOrigin) {
        const given = await waitInLine(place, deadline);
        if (given !== 'room') return 'outcome' in given ? given : lease(given, true);
      } else {
        place.count++;
      }
      const connection = await connect(url, organisationId, deadline);
      if ('outcome' in connection) {
        giveRoom(place);
        return connection;
      }
      const pooled: Pooled = { place, connection, openedAt: clock.monotonic() };
      connection.onClose(() => {
        forgetIdle(pooled);
        giveRoom(place);
      });
      return lease(pooled, false);
    },

    close() {
      isClosed = true;
      for (const { connection } of idle) connection.destroy();
      return new Promise((resolve) => {
        if (places.size === 0) resolve();
        else onEmpty = resolve;
      });
    },
  };
}

function orExpired<T>(promise: Promise<T>, deadline: Deadline): Promise<T | 'expired'> {
  return new Promise((resolve, reject) => {
    deadline.onExpire = () => resolve('expired');
    promise.then(resolve, reject);
  });
}
