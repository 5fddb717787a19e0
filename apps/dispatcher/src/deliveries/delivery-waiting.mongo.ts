import type { MongoFilter } from '@posthorn/mongo';
import {
  orderOf,
  toDelivery,
  type DeliveryCollections,
  type DeliveryDocument,
} from './delivery-documents.mongo.ts';
import type {
  ClaimedDelivery,
  ClaimedDue,
  ClaimRequest,
  DeliveryStore,
  SettleRequest,
  WaitingLane,
} from './delivery-store.ts';
import { verifyEventType } from '../envelope/xurrent.ts';
import { toEvent, type EventDocument } from '../events/event-store.mongo.ts';
import { blockedReason } from '../lanes/endpoint-order.ts';
import { followersEach, withoutGap } from '../lanes/key-followers.ts';
import { nameOf } from '../mongo-names.ts';

export const isThere = { $exists: true } as const;
export const isAbsent = { $exists: false } as const;
export const notEnded = ['pending', 'retrying', 'held'] as const;

/** Neither blocks its key, nor is held for that. */
const isNotBlocked: MongoFilter<DeliveryDocument> = {
  $nor: [{ state: { $nin: notEnded }, trigger: 'schedule' }, { reason: blockedReason }],
};

/** Payloads that are read at a time: what is read in vain, because the bound on bytes is reached, is bounded too. */
const eventsAtOnce = 16;

interface Candidate {
  readonly found: DeliveryDocument;
  readonly claim: string;
  readonly isBehind?: true;
}

interface Chosen extends Candidate {
  readonly event: EventDocument | null;
}

/** The half of the store that brings back what waits. */
export function createWaiting({
  deliveries,
  events,
}: DeliveryCollections): Pick<
  DeliveryStore,
  'releaseClaims' | 'waitingLanes' | 'claimDue' | 'settleWaiting'
> {
  /** What waits in the buckets, due or not, the first due first; one more than may be taken. */
  async function candidatesOf(request: ClaimRequest): Promise<readonly Candidate[]> {
    const { organisationId, endpointId, buckets, verificationOnly, limit } = request;
    const inBuckets = await Promise.all(
      buckets.map(async ({ partition, claim, inHands }) => {
        const found = await deliveries.find(
          {
            ...(verificationOnly && { eventType: verifyEventType }),
            partition,
            endpointId,
            organisationId,
            nextAttemptAt: isThere,
            claim: { $nin: inHands },
          },
          { limit: limit + 1, sort: { nextAttemptAt: 1 }, hint: verificationOnly ? 'verifying' : 'waiting' },
        );
        return found.map((one) => ({ found: one, claim }));
      }),
    );
    const all = inBuckets.flat();
    return buckets.length === 1 ? all : all.sort((a, b) => dueTime(a.found) - dueTime(b.found));
  }

  async function eventsOf(candidates: readonly Candidate[]): Promise<ReadonlyMap<string, EventDocument>> {
    const names = new Set(candidates.map(({ found }) => eventName(found)));
    const found = await events.find({ _id: { $in: [...names] } }, { limit: names.size });
    return new Map(found.map((event) => [event._id, event]));
  }

  /** Those of the due ones that are taken, with their events: up to the bound on bytes, and at least one. */
  async function chosenFrom(due: readonly Candidate[], maxBytes: number): Promise<readonly Chosen[]> {
    const chosen: Chosen[] = [];
    let bytes = 0;
    for (let from = 0; from < due.length && bytes <= maxBytes; from += eventsAtOnce) {
      const some = due.slice(from, from + eventsAtOnce);
      const found = await eventsOf(some);
      for (const candidate of some) {
        if (bytes > maxBytes) break;
        const event = found.get(eventName(candidate.found)) ?? null;
        bytes += event?.payload.byteLength ?? 0;
        chosen.push({ ...candidate, event });
      }
    }
    return chosen;
  }

  /** What waits behind a head, as far as it may follow. */
  async function behind({ found, claim }: Candidate, limit: number): Promise<readonly Candidate[]> {
    const { partition, endpointId, organisationId, orderKey, position, attempts } = found;
    if (orderKey === undefined || position === undefined || attempts > 0) return [];
    const line = await deliveries.find(
      { partition, endpointId, orderKey, organisationId, position: { $gt: position } },
      { limit, sort: { position: 1 }, hint: 'in_order' },
    );
    const following = withoutGap(line, ({ state, nextAttemptAt, claim: other }) => ({
      state,
      isDue: nextAttemptAt !== undefined,
      isClaimed: other !== undefined,
    }));
    return following.map((one) => ({ found: one, claim, isBehind: true }));
  }

  /** With what follows them, as far as the bound on bytes goes. */
  async function withFollowers(
    heads: readonly Chosen[],
    { followers = 0, maxBytes }: ClaimRequest,
  ): Promise<readonly Chosen[]> {
    const each = followersEach(
      heads.map(({ found }) => ({ attempts: found.attempts, order: orderOf(found) })),
      followers,
    );
    if (each === 0) return heads;
    const bytesLeft = maxBytes - heads.reduce((sum, { event }) => sum + (event?.payload.byteLength ?? 0), 0);
    if (bytesLeft < 0) return heads;
    const lines = await Promise.all(heads.map((head) => behind(head, each)));
    return [...heads, ...(await chosenFrom(lines.flat(), bytesLeft))];
  }

  /** Claims each if it is still as it was found; answers the names of those that were. */
  async function claimAll(chosen: readonly Candidate[], claimedUntil: Date): Promise<ReadonlySet<string>> {
    const matched = await deliveries.updateEach(
      chosen.map(({ found, claim, isBehind = false }) => ({
        filter: {
          _id: found._id,
          nextAttemptAt: found.nextAttemptAt ?? isAbsent,
          claim: found.claim ?? isAbsent,
          ...(isBehind && { orderKey: found.orderKey ?? '' }),
        },
        update: { $set: isBehind ? { claim } : { claim, nextAttemptAt: claimedUntil } },
      })),
    );
    const names = chosen.map(({ found }) => found._id);
    if (matched === chosen.length) return new Set(names);
    const claims = new Map(chosen.map((one) => [one.found._id, one]));
    const now = await deliveries.find(
      { _id: { $in: names } },
      { limit: names.length, hint: '_id_', projection: { claim: 1, nextAttemptAt: 1 } },
    );
    const isOurs = ({ _id, claim, nextAttemptAt }: DeliveryDocument): boolean => {
      const wanted = claims.get(_id);
      return (
        claim === wanted?.claim && (wanted?.isBehind ?? nextAttemptAt?.getTime() === claimedUntil.getTime())
      );
    };
    return new Set(now.filter(isOurs).map(({ _id }) => _id));
  }

  async function claimDue(request: ClaimRequest): Promise<ClaimedDue> {
    const candidates = await candidatesOf(request);
    const due = candidates
      .slice(0, request.limit)
      .filter(({ found }) => dueTime(found) <= request.now.getTime());
    const heads = await chosenFrom(due, request.maxBytes);
    const next = candidates[heads.length]?.found.nextAttemptAt ?? null;
    const chosen = await withFollowers(heads, request);
    const claimed = chosen.length === 0 ? new Set() : await claimAll(chosen, request.claimedUntil);
    const taken = chosen
      .filter(({ found }) => claimed.has(found._id))
      .map(({ found, event, isBehind }): ClaimedDelivery => ({
        delivery: toDelivery(found),
        event: event && toEvent(event),
        partition: found.partition,
        order: orderOf(found),
        ...(isBehind && { isBehind }),
      }));
    return { due: taken, nextDueAt: next };
  }

  async function settleIn(partition: number, request: SettleRequest, limit: number): Promise<number> {
    const { organisationId, endpointId, state, reason, now } = request;
    const lane = { partition, endpointId, organisationId, claim: isAbsent };
    const projection = { _id: 1 } as const;
    const due = await deliveries.find(
      { ...lane, nextAttemptAt: isThere },
      { limit, sort: { nextAttemptAt: 1 }, hint: 'waiting', projection },
    );
    const left = limit - due.length;
    const inOrder =
      left === 0
        ? []
        : await deliveries.find(
            { ...lane, orderKey: isThere, nextAttemptAt: isAbsent, ...(state === 'held' && isNotBlocked) },
            { limit: left, sort: { orderKey: 1, position: 1 }, hint: 'in_order', projection },
          );
    const names = [...due, ...inOrder].map(({ _id }) => _id);
    if (names.length === 0) return 0;
    const unclaimed = { _id: { $in: names }, claim: isAbsent };
    const rest = { nextAttemptAt: '', orderKey: '' } as const;
    const finishedAt = state === 'cancelled' ? now : null;
    await deliveries.updateMany(
      { ...unclaimed, state: { $in: notEnded } },
      { $set: { state, reason, finishedAt }, $unset: rest },
      { hint: '_id_' },
    );
    // What had ended and was to be attempted once more, on demand, stays as it ended.
    await deliveries.updateMany(unclaimed, { $unset: rest }, { hint: '_id_' });
    return names.length;
  }

  return {
    async releaseClaims({ partition, keep, now }) {
      const claimed: MongoFilter<DeliveryDocument> = { partition, claim: { $exists: true, $nin: keep } };
      const due = await deliveries.updateMany(
        { ...claimed, nextAttemptAt: isThere },
        { $set: { nextAttemptAt: now }, $unset: { claim: '' } },
        { hint: 'claimed' },
      );
      return due + (await deliveries.updateMany(claimed, { $unset: { claim: '' } }, { hint: 'claimed' }));
    },

    async waitingLanes(partitions) {
      const lanes = new Map<string, WaitingLane>();
      async function skipThrough(partition: number): Promise<void> {
        for (let after = ''; ;) {
          const found = await deliveries.findOne(
            { partition, endpointId: { $gt: after }, nextAttemptAt: isThere },
            {
              sort: { endpointId: 1, nextAttemptAt: 1 },
              hint: 'waiting',
              projection: { organisationId: 1, endpointId: 1, nextAttemptAt: 1 },
            },
          );
          if (found?.nextAttemptAt === undefined) return;
          const { organisationId, endpointId, nextAttemptAt: dueAt } = found;
          after = endpointId;
          const known = lanes.get(endpointId);
          if (known === undefined || known.dueAt > dueAt) {
            lanes.set(endpointId, { organisationId, endpointId, dueAt });
          }
        }
      }
      await Promise.all(partitions.map(skipThrough));
      return [...lanes.values()].sort((a, b) => (a.endpointId < b.endpointId ? -1 : 1));
    },

    claimDue,

    async settleWaiting(request) {
      let changed = 0;
      for (const partition of request.partitions) {
        if (changed === request.limit) break;
        changed += await settleIn(partition, request, request.limit - changed);
      }
      return changed;
    },
  };
}

function dueTime({ nextAttemptAt }: DeliveryDocument): number {
  return nextAttemptAt?.getTime() ?? 0;
}

function eventName({ organisationId, eventId }: DeliveryDocument): string {
  return nameOf(organisationId, eventId);
}
