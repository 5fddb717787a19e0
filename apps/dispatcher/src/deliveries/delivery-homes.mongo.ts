import type { MongoFilter } from '@posthorn/mongo';
import type { DeliveryCollections, DeliveryDocument } from './delivery-documents.mongo.ts';
import type { DeliveryHomes, MoveRequest } from './delivery-homes.ts';
import { isAbsent, isThere } from './delivery-waiting.mongo.ts';

/** The half of the store that brings deliveries home, and tells the owner there. */
export function createDeliveryHomes({ deliveries }: DeliveryCollections): DeliveryHomes {
  /** What nobody waits for, in any order. */
  async function moveFree({ organisationId, endpointId, from, to, limit }: MoveRequest): Promise<number> {
    const free: MongoFilter<DeliveryDocument> = {
      partition: { $in: [...from] },
      orderKey: isAbsent,
      claim: isAbsent,
    };
    const found = await deliveries.find(
      { ...free, endpointId, organisationId, nextAttemptAt: isThere },
      { limit, hint: 'waiting', projection: { _id: 1 } },
    );
    if (found.length === 0) return 0;
    await deliveries.updateMany(
      { _id: { $in: found.map(({ _id }) => _id) }, ...free },
      // Its epoch was one of the partition that it leaves.
      { $set: { partition: to, epoch: 0, arrived: true } },
      { hint: '_id_' },
    );
    return found.length;
  }

  async function nextKey(
    { organisationId, endpointId }: MoveRequest,
    partition: number,
    after: string,
  ): Promise<string | null> {
    const found = await deliveries.findOne(
      { partition, endpointId, organisationId, orderKey: { $gt: after } },
      { sort: { orderKey: 1, position: 1 }, hint: 'in_order', projection: { orderKey: 1 } },
    );
    return found?.orderKey ?? null;
  }

  /** One after the other, so that nothing is there before what stands before it. */
  async function moveLine(
    { organisationId, endpointId, to }: MoveRequest,
    { partition, orderKey }: { readonly partition: number; readonly orderKey: string },
    limit: number,
  ): Promise<number> {
    const line = { endpointId, orderKey, organisationId };
    const claimed = await deliveries.findOne(
      { partition, ...line, claim: isThere },
      { hint: 'in_order', projection: { _id: 1 } },
    );
    if (claimed !== null) return 0;
    const found = await deliveries.find(
      { partition, ...line },
      { limit, sort: { position: 1 }, hint: 'in_order', projection: { _id: 1 } },
    );
    let isFirst =
      found.length > 0 &&
      (await deliveries.findOne({ partition: to, ...line }, { hint: 'in_order', projection: { _id: 1 } })) ===
        null;
    let moved = 0;
    for (const { _id } of found) {
      const asFound = { _id, partition, orderKey, claim: isAbsent };
      const place = { $set: { partition: to, epoch: 0, arrived: true } } as const;
      const isMoved = await deliveries.updateOne(
        asFound,
        isFirst ? place : { ...place, $unset: { nextAttemptAt: '' } },
      );
      if (isMoved !== true) break;
      isFirst = false;
      moved += 1;
    }
    return moved;
  }

  return {
    async takeArrivals(partitions, limit) {
      if (partitions.length === 0) return [];
      const found = await deliveries.find(
        { partition: { $in: [...partitions] }, arrived: true },
        {
          limit,
          hint: 'arrived',
          projection: {
            organisationId: 1,
            endpointId: 1,
            partition: 1,
            nextAttemptAt: 1,
            orderKey: 1,
            trigger: 1,
          },
        },
      );
      if (found.length === 0) return [];
      const names = found.map(({ _id }) => _id);
      await deliveries.updateMany({ _id: { $in: names } }, { $unset: { arrived: '' } }, { hint: '_id_' });
      return found.map(({ organisationId, endpointId, partition, nextAttemptAt, orderKey, trigger }) => ({
        organisationId,
        endpointId,
        partition,
        dueAt: nextAttemptAt ?? null,
        key: orderKey ?? null,
        isScheduled: trigger === 'schedule',
      }));
    },

    async moveWaiting(request) {
      const { from, key, limit } = request;
      let moved = key === undefined ? await moveFree(request) : 0;
      for (const partition of from) {
        let orderKey = key ?? (await nextKey(request, partition, ''));
        while (orderKey !== null && moved < limit) {
          moved += await moveLine(request, { partition, orderKey }, limit - moved);
          orderKey = key === undefined ? await nextKey(request, partition, orderKey) : null;
        }
      }
      return moved;
    },

    async hasInOrder({ organisationId, endpointId, partition, key }) {
      const found = await deliveries.findOne(
        { partition, endpointId, organisationId, orderKey: key ?? isThere },
        { hint: 'in_order', projection: { _id: 1 } },
      );
      return found !== null;
    },
  };
}
