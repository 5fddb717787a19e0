/**
 * What was erased, as this process knows it: asked of every event that is planned, so it is answered from memory. The view is brought up
 * to now after the claims of each batch are written, with one read for the batch; that order leaves no gap (pipeline rule 20, decision 36):
 *
 *     eraser:   tombstone is durable → looks for the event, removes what it finds
 *     planner:  claim is durable → reads the tombstones
 *
 * Either the planner's read finds the tombstone, or its claim was there before the tombstone was, and the eraser finds the event.
 *
 * What is sent, and what is written of what was sent, goes by a view that is a little behind. How far is bounded (`mostBehindMs`), and by a
 * clock that goes on while the process is suspended; the eraser waits longer than that before it looks.
 */
import { createHmac } from 'node:crypto';
import type { Event } from '@posthorn/models';
import type { Clock, Random } from '@posthorn/runtime';
import type { ErasureStore, Tombstone } from './erasure-store.ts';

export interface Tombstones {
  /** When it resolves, everything that was erased before this call is known. */
  bringUpToDate(): Promise<void>;
  /** Whether this is to leave no trace, as far as is known now. */
  isErased(event: ErasableEvent): boolean;
  /** Everything that was erased before this moment is known, in monotonic milliseconds; `Infinity` where nobody else erases. */
  knownAt(): number;
  add(tombstone: Tombstone): Promise<void>;
  /** What is kept of a subject that is erased. */
  hashSubject(organisationId: string, subject: string): Promise<string>;
}

export type ErasableEvent = Pick<Event, 'organisationId' | 'id' | 'subject' | 'acceptedAt'>;

/** Nothing is ever erased: for what has no store of tombstones. */
export const noTombstones: Pick<Tombstones, 'isErased' | 'knownAt'> = {
  isErased: () => false,
  knownAt: () => Infinity,
};

/** How often dispatchers ask for tombstones while they plan nothing. */
export const lookForTombstonesMs = 500;
/** How long the eraser waits before it looks: several times that, since whoever can't ask the store can't write to it either. */
export const settleTombstonesMs = 10 * lookForTombstonesMs;
/** How far behind a view may be by which something is sent or written: a tenth less, for clocks that run at other rates. */
export const mostBehindMs = 0.9 * settleTombstonesMs;

/** What was erased of one organisation. */
interface Erased {
  isWhole: boolean;
  readonly events: Set<string>;
  /** By hash, until when what was accepted of it is erased. */
  readonly subjects: Map<string, number>;
}

const readAtOnce = 1000;
const keyBytes = 32;

export function createTombstones({
  store,
  isExclusive,
  clock,
  random,
}: {
  readonly store: Pick<ErasureStore, 'addTombstone' | 'tombstonesAfter' | 'key'>;
  /** Whether nobody else erases: then everything is known that `add` has added. */
  readonly isExclusive: boolean;
  readonly clock: Clock;
  readonly random: Random;
}): Tombstones {
  const organisations = new Map<string, Erased>();
  let last = 0;
  let knownAt = isExclusive ? Infinity : -Infinity;
  let key: Uint8Array | null = null;
  /** A read that is under way, and the one that waits for it: a caller needs one that began after its call. */
  let current: Promise<void> | null = null;
  let following: Promise<void> | null = null;

  async function read(): Promise<void> {
    const beganAt = clock.monotonic();
    for (;;) {
      const found = await store.tombstonesAfter(last, readAtOnce);
      // Before they are known: without the key, nobody could tell whose they are.
      if (found.some(({ tombstone }) => tombstone.kind === 'subject')) await theKey();
      for (const { number, tombstone } of found) {
        learn(tombstone);
        last = number;
      }
      if (found.length < readAtOnce) break;
    }
    knownAt = Math.max(knownAt, beganAt);
  }

  async function theKey(): Promise<Uint8Array> {
    key ??= await store.key(random.bytes(keyBytes));
    return key;
  }

  function learn(tombstone: Tombstone): void {
    const { organisationId } = tombstone;
    const known = organisations.get(organisationId);
    const erased: Erased = known ?? { isWhole: false, events: new Set(), subjects: new Map() };
    if (known === undefined) organisations.set(organisationId, erased);
    switch (tombstone.kind) {
      case 'event':
        erased.events.add(tombstone.eventId);
        return;
      case 'subject': {
        const { subjectHash, before } = tombstone;
        erased.subjects.set(
          subjectHash,
          Math.max(before.getTime(), erased.subjects.get(subjectHash) ?? -Infinity),
        );
        return;
      }
      case 'organisation':
        erased.isWhole = true;
    }
  }

  function startRead(): Promise<void> {
    const started: Promise<void> = read().finally(() => {
      if (current === started) current = null;
    });
    current = started;
    return started;
  }

  function bringUpToDate(): Promise<void> {
    if (current === null) return startRead();
    following ??= current
      .catch(() => undefined)
      .then(() => {
        following = null;
        return startRead();
      });
    return following;
  }

  return {
    bringUpToDate,
    knownAt: () => knownAt,

    isErased({ organisationId, id, subject, acceptedAt }) {
      const erased = organisations.get(organisationId);
      if (erased === undefined) return false;
      if (erased.isWhole || erased.events.has(id)) return true;
      if (subject === null || erased.subjects.size === 0 || key === null) return false;
      const before = erased.subjects.get(hashOf(key, organisationId, subject));
      return before !== undefined && acceptedAt.getTime() <= before;
    },

    async add(tombstone) {
      await store.addTombstone(tombstone);
      await bringUpToDate();
    },

    hashSubject: async (organisationId, subject) => hashOf(await theKey(), organisationId, subject),
  };
}

function hashOf(key: Uint8Array, organisationId: string, subject: string): string {
  return createHmac('sha256', key).update(`${organisationId}\n${subject}`).digest('base64url');
}
