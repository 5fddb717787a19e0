import { isFinal } from '@posthorn/models';
import type { MongoFilter } from '@posthorn/mongo';
import type { DeliveryCollections, DeliveryDocument } from './delivery-documents.mongo.ts';
import type {
  DeliveryKey,
  DeliveryStore,
  KeyHead,
  KeyPlace,
  PromotedKeys,
  PromoteRequest,
} from './delivery-store.ts';
import { isAbsent, isThere, notEnded } from './delivery-waiting.mongo.ts';
import { unavailableYet } from '../mongo-names.ts';

/** How often a head is looked at again that changes while it is being promoted. */
const maxTries = 100;

/** The half of the store that keeps deliveries in the order of their keys. */
export function createDeliveryKeys({
  deliveries,
}: DeliveryCollections): Pick<DeliveryStore, 'promote' | 'promoteKeys' | 'holdKey'> {
  async function promote({ now, release, ...key }: PromoteRequest): Promise<KeyHead | null> {
    const { organisationId, partition, endpointId, key: orderKey } = key;
    for (let tries = 0; tries < maxTries;) {
      const head = await deliveries.findOne(
        { partition, endpointId, orderKey, organisationId },
        { sort: { position: 1 }, hint: 'in_order' },
      );
      if (head === null) return null;
      const { _id, id: deliveryId, state, trigger, nextAttemptAt } = head;
      if (nextAttemptAt !== undefined) return { kind: 'due', deliveryId, dueAt: nextAttemptAt };
      const asFound = { _id, orderKey, state, trigger, nextAttemptAt: isAbsent };
      // What has ended and was asked for again has another trigger than the schedule's until that attempt has been made.
      if (isFinal(state) && trigger === 'schedule') {
        if (!release) return { kind: 'blocked', deliveryId };
        await deliveries.updateOne(asFound, { $unset: { orderKey: '' } });
        continue;
      }
      if (await deliveries.updateOne(asFound, { $set: { nextAttemptAt: now } })) {
        return { kind: 'due', deliveryId, dueAt: now };
      }
      tries += 1;
    }
    throw unavailableYet('The first of a key');
  }

  /** The first key behind a place: of the same endpoint, else of the next one. */
  async function nextKey(partition: number, place: KeyPlace | null): Promise<DeliveryKey | null> {
    const first = async (filter: MongoFilter<DeliveryDocument>): Promise<DeliveryKey | null> => {
      const found = await deliveries.findOne(
        { partition, ...filter },
        {
          sort: { endpointId: 1, orderKey: 1, position: 1 },
          hint: 'in_order',
          projection: { organisationId: 1, endpointId: 1, orderKey: 1 },
        },
      );
      if (found?.orderKey === undefined) return null;
      const { organisationId, endpointId, orderKey: key } = found;
      return { organisationId, endpointId, partition, key };
    };
    if (place === null) return first({ endpointId: { $gt: '' }, orderKey: isThere });
    const { endpointId, key } = place;
    return (
      (await first({ endpointId, orderKey: { $gt: key } })) ??
      (await first({ endpointId: { $gt: endpointId }, orderKey: isThere }))
    );
  }

  return {
    promote,

    async promoteKeys({ partition, now, after, limit }) {
      const keys: PromotedKeys['keys'][number][] = [];
      let place = after;
      for (let count = 0; count < limit; count += 1) {
        const key = await nextKey(partition, place);
        if (key === null) return { keys, next: null };
        place = { endpointId: key.endpointId, key: key.key };
        const head = await promote({ ...key, now, release: false });
        if (head !== null) keys.push({ key, head });
      }
      return { keys, next: place };
    },

    async holdKey({ organisationId, partition, endpointId, key, reason, limit }) {
      const waiting: MongoFilter<DeliveryDocument> = {
        orderKey: key,
        state: { $in: notEnded },
        reason: { $ne: reason },
        claim: isAbsent,
        nextAttemptAt: isAbsent,
      };
      const found = await deliveries.find(
        { partition, endpointId, organisationId, ...waiting },
        { limit, sort: { position: 1 }, hint: 'in_order', projection: { _id: 1 } },
      );
      const names = found.map(({ _id }) => _id);
      await deliveries.updateMany(
        { _id: { $in: names }, ...waiting },
        { $set: { state: 'held', reason } },
        { hint: '_id_' },
      );
      return names.length;
    },
  };
}
