import type { SigningEndpoint } from '@posthorn/models';
import type { Homes } from './homes.ts';
import type { Ownership } from '../ownership/ownership.ts';

/**
 * How many attempts at an endpoint this dispatcher may have under way, so that all of them together never have more than
 * `maxInFlight` (pipeline rule 16). Where it has a home, that partition's owner has all the places. Else each partition carries an equal
 * part of them, and a dispatcher has, rounded down, the parts of the partitions that it holds a certain lease of. A lease has one owner,
 * so the parts add up to no more than the whole whatever moves; nobody needs to know how many dispatchers there are.
 *
 * Whoever hands a partition over with more under way than it has places without that says in the lease how many more, and for how long:
 * the next owner leaves so many unused. It stops at owners that lost their lease without a word (killed, frozen, cut off): what they have under way goes on
 * beside the new owner's, for as long as an attempt takes.
 */
export interface LimitShares {
  /** What is ours now. */
  placesOf(endpoint: SigningEndpoint): number;
  /** What goes with a partition when it is handed over, at most. */
  carriedBy(partition: number, endpoint: SigningEndpoint): number;
}

export function createLimitShares(options: {
  readonly homes: Homes;
  readonly ownership: Pick<Ownership, 'isUsable' | 'countUsable' | 'countCrowded'>;
  readonly partitions: () => number;
}): LimitShares {
  const { homes, ownership, partitions } = options;
  return {
    placesOf({ endpoint }) {
      const { id, maxInFlight } = endpoint;
      const home = homes.of(endpoint);
      const isHome = home !== null && ownership.isUsable(home);
      const all = partitions();
      const ours = home === null ? ownership.countUsable() : isHome ? all : 0;
      return Math.max(0, Math.floor((maxInFlight * ours) / all) - ownership.countCrowded(id));
    },
    carriedBy(partition, { endpoint }) {
      const home = homes.of(endpoint);
      if (home !== null) return home === partition ? endpoint.maxInFlight : 0;
      return Math.ceil(endpoint.maxInFlight / partitions());
    },
  };
}
