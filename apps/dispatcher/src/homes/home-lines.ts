import type { SigningEndpoint } from '@posthorn/models';
import type { DeliveryKey, DeliveryStore, KeyHead, PromoteRequest } from '../deliveries/delivery-store.ts';
import type { Homes } from './homes.ts';

/**
 * In which partition the deliveries of a key wait for each other. To an endpoint with a home, there; else in that of their events, unless
 * its owner has lifted the limit and something of the key still waits at the home: then behind that, until nothing does. A line that
 * stands elsewhere is moved before anything of it goes out, so nobody is overtaken when limits change.
 *
 * Whether anything waits at a home is looked up once for each endpoint and partition, and from then on known until something of it goes
 * there: nobody but the owner of the events' partition puts, or moves, anything of its keys there.
 */
export interface HomeLines {
  /** Where a key's line belongs; null when that has to be looked up. */
  placeOf(line: Line, endpoint: SigningEndpoint): number | null;
  lookUp(line: Line): Promise<number>;
  /** Something of a key is on its way to the endpoint's home; call what it answers when it is durable. */
  going(line: Omit<DeliveryKey, 'key'>): () => void;
  /** Something of the endpoint is moved from this partition to its home: what was looked up counts no more, and a look waits for its end. */
  moving(line: Omit<DeliveryKey, 'key'>, until: Promise<unknown>): void;
  /** As the store's, for a line that stands where it belongs; else it is moved. */
  promote(request: PromoteRequest): Promise<KeyHead | null>;
}

/** A key of an endpoint, in a partition that is ours under this epoch. */
export interface Line extends DeliveryKey {
  readonly epoch: number;
}

const movedAtOnce = 200;
/** When a line is looked at again of which something is in a former owner's hands. */
const lookAgainMs = 1000;

export function createHomeLines(options: {
  readonly deliveries: Pick<DeliveryStore, 'promote' | 'moveWaiting' | 'hasInOrder'>;
  readonly homes: Homes;
  readonly endpointOf: (line: Omit<DeliveryKey, 'key'>) => SigningEndpoint | undefined;
  /** The epoch under which a partition is ours; undefined when it isn't. */
  readonly epochOf: (partition: number) => number | undefined;
}): HomeLines {
  const { deliveries, homes, endpointOf, epochOf } = options;
  /** Endpoints of which nothing waits in order at their place of a home. */
  const clear = new Set<string>();
  const underWay = new Map<string, number>();
  /** The last look that is under way: what changes meanwhile takes it out, and nothing is known by it. */
  const looking = new Map<string, symbol>();
  const moves = new Map<string, Promise<unknown>>();
  const nameOf = ({ partition, endpointId }: Omit<DeliveryKey, 'key'>): string =>
    `${partition} ${endpointId}`;
  const clearName = (line: Omit<DeliveryKey, 'key'>, epoch: number): string => `${nameOf(line)} ${epoch}`;

  async function lookUp(line: Line): Promise<number> {
    const { organisationId, endpointId, partition, key, epoch } = line;
    const place = homes.place(endpointId);
    const name = nameOf(line);
    while (moves.has(name)) await moves.get(name);
    if (underWay.has(name)) return place;
    const there = { organisationId, endpointId, partition: place };
    const look = Symbol(name);
    looking.set(name, look);
    const isAny = await deliveries.hasInOrder({ ...there, key: null });
    const isLast = looking.get(name) === look && looking.delete(name);
    if (isAny) return (await deliveries.hasInOrder({ ...there, key })) ? place : partition;
    if (isLast) clear.add(clearName(line, epoch));
    return partition;
  }

  const placeOf: HomeLines['placeOf'] = (line, { endpoint }) => {
    const home = homes.of(endpoint);
    if (home !== null) return home;
    const isHere = homes.place(endpoint.id) === line.partition || clear.has(clearName(line, line.epoch));
    return isHere ? line.partition : null;
  };

  function forget(line: Omit<DeliveryKey, 'key'>): void {
    looking.delete(nameOf(line));
    const epoch = epochOf(line.partition);
    if (epoch !== undefined) clear.delete(clearName(line, epoch));
  }

  /** What is claimed there isn't ours to move: it has to end first. */
  async function move(request: PromoteRequest, to: number): Promise<KeyHead | null> {
    const { organisationId, endpointId, partition, key, now } = request;
    const line = { organisationId, endpointId, key };
    forget(request);
    while ((await deliveries.moveWaiting({ ...line, from: [partition], to, limit: movedAtOnce })) > 0);
    forget(request);
    const isLeft = await deliveries.hasInOrder({ ...line, partition });
    return isLeft ? { kind: 'due', deliveryId: '', dueAt: new Date(now.getTime() + lookAgainMs) } : null;
  }

  return {
    placeOf,
    lookUp,
    moving(line, until) {
      const name = nameOf(line);
      forget(line);
      const ended: Promise<unknown> = until
        .catch(() => undefined)
        .then(() => {
          forget(line);
          if (moves.get(name) === ended) moves.delete(name);
        });
      moves.set(name, ended);
    },
    going(line) {
      const name = nameOf(line);
      forget(line);
      underWay.set(name, (underWay.get(name) ?? 0) + 1);
      return () => {
        const left = (underWay.get(name) ?? 1) - 1;
        if (left === 0) underWay.delete(name);
        else underWay.set(name, left);
      };
    },
    async promote(request) {
      const endpoint = endpointOf(request);
      const epoch = epochOf(request.partition);
      if (endpoint === undefined || epoch === undefined) return deliveries.promote(request);
      const line = { ...request, epoch };
      const place = placeOf(line, endpoint) ?? (await lookUp(line));
      return place === request.partition ? deliveries.promote(request) : move(request, place);
    },
  };
}
