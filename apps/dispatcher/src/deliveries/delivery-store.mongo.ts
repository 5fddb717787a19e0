import { deliveryReasons, idFloor, type Delivery } from '@posthorn/models';
import {
  deliveryName,
  toDelivery,
  toDeliveryDocument,
  type DeliveryCollections,
  type DeliveryDocument,
} from './delivery-documents.mongo.ts';
import { createDeliveryHomes } from './delivery-homes.mongo.ts';
import { createDeliveryKeys } from './delivery-keys.mongo.ts';
import { createDeliveryLists } from './delivery-lists.mongo.ts';
import { createRecord } from './delivery-record.mongo.ts';
import type { ClaimNowRequest, DeliveryStore, RecordedHealth } from './delivery-store.ts';
import { elsewhere } from './delivery-elsewhere.ts';
import { createWaiting, isAbsent, isThere, notEnded } from './delivery-waiting.mongo.ts';
import { nameOf, unavailableYet } from '../mongo-names.ts';
import { organisationsOf } from './scan-pages.mongo.ts';

/** How far back health looks, and how far waiting deliveries are counted. */
const healthWindow = 200;
const longHealthWindow = 1000;
const waitingCountLimit = 10_000;
const maxPartitions = 10_000;
const scanSlice = 1000;
/** How often a delivery is looked at again that comes and goes while it is being taken. */
const maxTries = 10;

/** Deliveries and attempts in MongoDB (delivery-documents.mongo.ts). */
export function createMongoDeliveryStore(collections: DeliveryCollections): DeliveryStore {
  const { deliveries, attempts, leases, expiry } = collections;
  const lists = createDeliveryLists(collections);

  async function takeAtOnce(request: ClaimNowRequest): Promise<Delivery> {
    const { partition, order, trigger, now, claim, claimedUntil } = request;
    const here = { partition, ...(claim === null && { arrived: true as const }) };
    const _id = deliveryName(request.delivery);
    const nextAttemptAt = order === null ? claimedUntil : null;
    const taken = {
      ...request,
      delivery: { ...request.delivery, trigger, nextAttemptAt },
      claim: order === null ? claim : null,
      attempt: null,
    };
    const document = toDeliveryDocument(taken, expiry);
    for (let tries = 0; tries < maxTries; tries++) {
      if (await deliveries.insert(document)) return toDelivery(document);
      const found = order === null ? await claimIt() : await putInOrder(order.key, order.position);
      if (found !== null) return toDelivery(found);
    }
    throw unavailableYet('A delivery');

    async function claimIt(): Promise<DeliveryDocument | null> {
      if (claim === null) {
        // In someone's hands it stays as it is.
        const left = { $set: { ...here, trigger, nextAttemptAt: now } };
        return (
          (await deliveries.findOneAndUpdate({ _id, claim: isAbsent }, left)) ?? deliveries.findOne({ _id })
        );
      }
      const taken = await deliveries.findOneAndUpdate(
        { _id, $or: [{ partition }, { claim: isAbsent }] },
        { $set: { ...here, trigger, claim, nextAttemptAt: claimedUntil } },
      );
      if (taken === null && (await deliveries.findOne({ _id })) !== null) throw elsewhere();
      return taken;
    }

    /** Due now if it is the head of its key and in nobody's hands; else when it is promoted. */
    async function putInOrder(orderKey: string, position: number): Promise<DeliveryDocument | null> {
      const place = { trigger, orderKey, position };
      const unclaimed = { _id, claim: isAbsent };
      return (
        (await deliveries.findOneAndUpdate(
          { ...unclaimed, nextAttemptAt: isThere },
          { $set: { ...here, ...place, nextAttemptAt: now } },
        )) ??
        (await deliveries.findOneAndUpdate(unclaimed, { $set: { ...here, ...place } })) ??
        (await deliveries.findOneAndUpdate({ _id }, { $set: place }))
      );
    }
  }

  /** What waits of an endpoint, in whichever partition, with or without a time. */
  async function waitingOf(organisationId: string, endpointId: string): Promise<readonly DeliveryDocument[]> {
    const known = await leases.find(
      {},
      { limit: maxPartitions, sort: { _id: 1 }, hint: '_id_', projection: { _id: 1 } },
    );
    const partitions = [...new Set([0, ...known.map(({ _id }) => Number(_id))])];
    const lane = { partition: { $in: partitions }, endpointId, organisationId };
    const projection = { createdAt: 1 } as const;
    const due = await deliveries.find(
      { ...lane, nextAttemptAt: isThere },
      { limit: waitingCountLimit, hint: 'waiting', projection },
    );
    const left = waitingCountLimit - due.length;
    if (left === 0) return due;
    const inOrder = await deliveries.find(
      { ...lane, orderKey: isThere, nextAttemptAt: isAbsent },
      { limit: left, hint: 'in_order', projection },
    );
    return [...due, ...inOrder];
  }

  return {
    record: createRecord(collections),
    ...createWaiting(collections),
    ...createDeliveryKeys(collections),
    ...createDeliveryHomes(collections),
    claimNow: takeAtOnce,

    async findRecorded(wanted) {
      const found = await deliveries.find(
        { _id: { $in: wanted.map(deliveryName) } },
        { limit: wanted.length, projection: { id: 1 } },
      );
      return new Set(found.map(({ id }) => id));
    },

    async get(organisationId, id) {
      const found = await deliveries.findOne({ _id: nameOf(organisationId, id) });
      return found === null ? null : ((await lists.withLast([found]))[0] ?? null);
    },
    listDeliveries: lists.listDeliveries,
    listAttempts: lists.listAttempts,

    async cancel(organisationId, id, now) {
      const _id = nameOf(organisationId, id);
      const cancelled = await deliveries.findOneAndUpdate(
        { _id, state: { $in: notEnded } },
        {
          $set: { state: 'cancelled', reason: 'cancelled', finishedAt: now },
          $unset: { nextAttemptAt: '', claim: '', orderKey: '' },
        },
      );
      // A first try whose answer was lost may have cancelled it.
      const found = cancelled ?? (await deliveries.findOne({ _id, state: 'cancelled', finishedAt: now }));
      return found === null ? null : toDelivery(found);
    },

    async leaveOut(organisationId, id) {
      const _id = nameOf(organisationId, id);
      const reason = deliveryReasons.endpointDisabled;
      await deliveries.updateOne({ _id, state: { $nin: notEnded } }, { $set: { reason } });
      const found = await deliveries.findOne({ _id });
      return found === null ? null : toDelivery(found);
    },

    async *scanAttempts({ organisationId, endpointId, after, before }) {
      const lane = { organisationId, endpointId };
      let from: readonly object[] = [{ startedAt: { $gte: after } }];
      for (;;) {
        const found = await attempts.find(
          { $and: [lane, { startedAt: { $lt: before } }, ...from] },
          {
            limit: scanSlice,
            sort: { startedAt: 1, _id: 1 },
            hint: 'by_endpoint',
            projection: { startedAt: 1, durationMs: 1, outcome: 1 },
          },
        );
        yield found.map(({ startedAt, durationMs, outcome }) => ({
          startedAt: startedAt.getTime(),
          durationMs,
          outcome,
        }));
        const last = found.at(-1);
        if (last === undefined || found.length < scanSlice) return;
        const { startedAt, _id } = last;
        from = [
          { startedAt: { $gte: startedAt } },
          { $or: [{ startedAt: { $gt: startedAt } }, { _id: { $gt: _id } }] },
        ];
      }
    },

    async health(organisationId, endpointId): Promise<RecordedHealth> {
      const lastAttempts = (limit: number) =>
        attempts.find(
          { organisationId, endpointId },
          {
            limit,
            sort: { startedAt: -1, _id: -1 },
            hint: 'by_endpoint',
            projection: { startedAt: 1, outcome: 1 },
          },
        );
      const last = await lastAttempts(healthWindow);
      const successAt = last.findIndex(({ outcome }) => outcome === 'success');
      const failures = successAt === -1 ? last.length : successAt;
      // Only an endpoint that has failed for long is looked further back for.
      const looked = failures === healthWindow ? await lastAttempts(longHealthWindow) : last;
      const waiting = await waitingOf(organisationId, endpointId);
      const oldest = Math.min(...waiting.map(({ createdAt }) => createdAt.getTime()));
      return {
        consecutiveFailures: failures,
        failingSince: last[failures - 1]?.startedAt ?? null,
        lastSuccessAt: looked.find(({ outcome }) => outcome === 'success')?.startedAt ?? null,
        waiting: waiting.length,
        oldestWaitingAt: waiting.length === 0 ? null : new Date(oldest),
      };
    },

    async expireHeld({ organisationId, before, now, limit }) {
      const isLeft = { state: 'held', nextAttemptAt: isAbsent, claim: isAbsent } as const;
      const found = await deliveries.find(
        { organisationId, _id: namesBefore(organisationId, before), ...isLeft },
        { limit, sort: { _id: 1 }, hint: 'held', projection: { _id: 1 } },
      );
      if (found.length === 0) return 0;
      const { payloadExpired: reason } = deliveryReasons;
      await deliveries.updateMany(
        { _id: { $in: found.map(({ _id }) => _id) }, ...isLeft },
        { $set: { state: 'cancelled', reason, finishedAt: now }, $unset: { orderKey: '' } },
        { hint: '_id_' },
      );
      return found.length;
    },

    async sweep(organisationId, before, limit) {
      const old = await deliveries.find(
        { _id: namesBefore(organisationId, before) },
        { limit, sort: { _id: 1 }, hint: '_id_', projection: { _id: 1 } },
      );
      const [first, last] = [old[0]?._id, old.at(-1)?._id];
      if (first === undefined || last === undefined) return 0;
      // Nothing else has a name between the first and the last: attempts are named after their deliveries.
      await attempts.deleteMany({ _id: { $gte: `${first}/`, $lt: `${last}0` } });
      await deliveries.deleteMany({ _id: { $in: old.map(({ _id }) => _id) } });
      return old.length;
    },

    organisations: (after, limit) => organisationsOf(deliveries, after, limit),
  };
}

/** The names of an organisation's deliveries whose events were accepted before a time. */
function namesBefore(organisationId: string, before: Date): { readonly $gte: string; readonly $lt: string } {
  return { $gte: `${organisationId}/`, $lt: nameOf(organisationId, idFloor(before.getTime())) };
}
