import type { Endpoint } from '@posthorn/models';

/**
 * Whose limits have a home (pipeline rule 16). An endpoint with a rate limit, or with fewer places than the log has partitions, has
 * a home partition: whoever plans a delivery for it elsewhere puts it into storage there, and only the home's owner sends. The
 * places of all others are shared out by partitions (limit-shares.ts). Both follow from the endpoint and from the number of
 * partitions alone, so all dispatchers agree about it without a word, however many of them there are.
 */
export interface Homes {
  /** The partition whose owner alone sends to the endpoint; null: each owner of a partition sends what comes under that. */
  of(endpoint: Endpoint): number | null;
  /** Where its home is, or would be if it had one. */
  place(endpointId: string): number;
}

/** `partitions` is asked every time: it is known once the log has been opened. */
export function createHomes(partitions: () => number): Homes {
  const place = (endpointId: string): number => hash(endpointId) % partitions();
  return {
    of(endpoint) {
      return hasHome(endpoint, partitions()) ? place(endpoint.id) : null;
    },
    place,
  };
}

/** Below a place for each partition, some would have none. */
export function hasHome({ rateLimit, maxInFlight }: Endpoint, partitions: number): boolean {
  return rateLimit !== null || maxInFlight < partitions;
}

/** FNV-1a, of 32 bits: the same in every process and version. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let place = 0; place < text.length; place += 1) {
    value = Math.imul(value ^ text.charCodeAt(place), 0x01000193);
  }
  return value >>> 0;
}
