import { idCeiling, idFloor } from '@posthorn/models';
import type { MongoFilter } from '@posthorn/mongo';
import {
  attemptName,
  toAttempt,
  toDelivery,
  type AttemptDocument,
  type DeliveryCollections,
  type DeliveryDocument,
} from './delivery-documents.mongo.ts';
import type { AttemptFilter, DeliveryFilter, DeliveryStore, DeliveryWithLast } from './delivery-store.ts';
import { namesUnder, nameOf } from '../mongo-names.ts';
import { scanByName, scanByTime } from './scan-pages.mongo.ts';

export interface DeliveryLists extends Pick<DeliveryStore, 'listDeliveries' | 'listAttempts'> {
  /** The deliveries with their last attempts. */
  withLast(found: readonly DeliveryDocument[]): Promise<DeliveryWithLast[]>;
}

/** The listing half of the store: lists walk an index, newest first. */
export function createDeliveryLists({ deliveries, attempts }: DeliveryCollections): DeliveryLists {
  async function lastOf({ _id }: DeliveryDocument): Promise<AttemptDocument | null> {
    return attempts.findOne({ _id: namesUnder(_id) }, { sort: { _id: -1 }, hint: '_id_' });
  }

  async function withLast(found: readonly DeliveryDocument[]): Promise<DeliveryWithLast[]> {
    // Nearly always the last attempt has the number of attempts that have ended.
    const attempted = found.filter((delivery) => delivery.attempts > 0);
    const names = attempted.map((delivery) => attemptName(delivery._id, delivery.attempts));
    const last =
      names.length === 0 ? [] : await attempts.find({ _id: { $in: names } }, { limit: names.length });
    const byName = new Map(last.map((attempt) => [attempt._id, attempt]));
    return await Promise.all(
      found.map(async (delivery) => {
        const { _id, attempts: count } = delivery;
        const known = count === 0 ? null : (byName.get(attemptName(_id, count)) ?? (await lastOf(delivery)));
        return { delivery: toDelivery(delivery), lastAttempt: known && toAttempt(known) };
      }),
    );
  }

  return {
    withLast,

    async listDeliveries(filter, page) {
      const { organisationId, endpointId, event } = filter;
      const conditions = deliveryConditions(filter);
      const { items, nextCursor } =
        event === undefined && endpointId !== undefined
          ? await scanByName(
              {
                collection: deliveries,
                range: { endpointId },
                names: namesUnder(organisationId),
                hint: 'by_endpoint',
              },
              conditions,
              page,
            )
          : await scanByName(
              {
                collection: deliveries,
                range: {},
                names:
                  event === undefined
                    ? namesUnder(organisationId)
                    : namesOfTime(organisationId, event.acceptedAt),
                hint: '_id_',
              },
              [
                ...conditions,
                ...(event === undefined ? [] : [{ eventId: event.id }]),
                ...(endpointId === undefined ? [] : [{ endpointId }]),
              ],
              page,
            );
      return { items: await withLast(items), nextCursor };
    },

    async listAttempts(filter, page) {
      const { organisationId, endpointId, deliveryId, event } = filter;
      const conditions = attemptConditions(filter);
      if (deliveryId === undefined && event === undefined) {
        const walk = { collection: attempts, time: 'startedAt' } as const;
        const { items, nextCursor } = await scanByTime(
          endpointId === undefined
            ? { ...walk, range: { organisationId }, hint: 'by_time' }
            : { ...walk, range: { organisationId, endpointId }, hint: 'by_endpoint' },
          conditions,
          page,
        );
        return { items: items.map(toAttempt), nextCursor };
      }
      const names =
        deliveryId !== undefined
          ? namesUnder(nameOf(organisationId, deliveryId))
          : namesOfTime(organisationId, event?.acceptedAt ?? new Date(0));
      const { items, nextCursor } = await scanByName(
        { collection: attempts, range: {}, names, hint: '_id_' },
        [
          ...conditions,
          ...(event === undefined ? [] : [{ eventId: event.id }]),
          ...(endpointId === undefined ? [] : [{ endpointId }]),
        ],
        page,
      );
      return { items: items.map(toAttempt), nextCursor };
    },
  };
}

/** The names of all deliveries, and of their attempts, whose ids begin with this time. */
function namesOfTime(organisationId: string, time: Date): { readonly $gte: string; readonly $lt: string } {
  const ms = time.getTime();
  return {
    $gte: nameOf(organisationId, idFloor(ms)),
    $lt: namesUnder(nameOf(organisationId, idCeiling(ms))).$lt,
  };
}

function deliveryConditions(filter: DeliveryFilter): MongoFilter<DeliveryDocument>[] {
  const { eventType, states, statusClass, after, before } = filter;
  return [
    ...(eventType === undefined ? [] : [{ eventType }]),
    ...(states === undefined || states.length === 0 ? [] : [{ state: { $in: states } }]),
    ...(statusClass === undefined ? [] : [{ lastStatus: statusesOf(statusClass) }]),
    ...(after === undefined ? [] : [{ createdAt: { $gt: after } }]),
    ...(before === undefined ? [] : [{ createdAt: { $lt: before } }]),
  ];
}

function attemptConditions(filter: AttemptFilter): MongoFilter<AttemptDocument>[] {
  const { eventType, outcome, statusClass, after, before } = filter;
  return [
    ...(eventType === undefined ? [] : [{ eventType }]),
    ...(outcome === undefined ? [] : [{ outcome }]),
    ...(statusClass === undefined ? [] : [{ status: statusesOf(statusClass) }]),
    ...(after === undefined ? [] : [{ startedAt: { $gt: after } }]),
    ...(before === undefined ? [] : [{ startedAt: { $lt: before } }]),
  ];
}

/** 2: 200 to 299. */
export function statusesOf(statusClass: number): { readonly $gte: number; readonly $lt: number } {
  return { $gte: statusClass * 100, $lt: (statusClass + 1) * 100 };
}
