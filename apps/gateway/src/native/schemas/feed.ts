import { deliveryFromMessage, eventFromMessage, type dispatchV1 } from '@posthorn/contracts';
import { deliveryStates, idTimeMs, type DeliveryState } from '@posthorn/models';
import { described, time } from './scalars.ts';
import { answerSchema, type Definition } from '../routing/schema.ts';

/** An entry of a feed, but for its payload. */
export interface FeedEntryView {
  readonly deliveryId: string;
  /** What receivers see as `webhook-id`. */
  readonly eventId: string;
  readonly eventType: string;
  readonly state: DeliveryState;
  readonly reason: string | null;
  readonly attempts: number;
  readonly acceptedAt: Date;
  readonly isPayloadKept: boolean;
  readonly occurredAt: Date | null;
  readonly labels: Readonly<Record<string, string>> | null;
  readonly subject: string | null;
  readonly orderingKey: string | null;
}

const properties = {
  deliveryId: {
    type: 'string',
    description: 'Tells entries apart: one that comes twice, which is rare, has the same.',
  },
  eventId: { type: 'string', description: 'What receivers see as `webhook-id`.' },
  eventType: { type: 'string' },
  state: {
    type: 'string',
    enum: deliveryStates,
    description: 'As it is now. `succeeded`: the receiver has acknowledged it.',
  },
  reason: { type: ['string', 'null'] },
  attempts: { type: 'integer' },
  acceptedAt: time,
  isPayloadKept: {
    type: 'boolean',
    description:
      'False when the event has been kept for as long as its organisation wants, or was erased: what the event had is null then, and there is no `data`.',
  },
  occurredAt: { type: ['string', 'null'], format: 'date-time' },
  labels: { type: ['object', 'null'], additionalProperties: { type: 'string' } },
  subject: { type: ['string', 'null'] },
  orderingKey: { type: ['string', 'null'] },
} as const satisfies Record<keyof FeedEntryView, Definition>;

const entrySchema = answerSchema<FeedEntryView & { readonly data?: unknown }>('FeedEntry', {
  description: 'An event that the endpoint was to get.',
  properties: {
    ...properties,
    data: { description: 'The payload, as the very bytes that were published.' },
  },
  optional: ['data'],
});

export const feedPageSchema = answerSchema<{
  readonly data: readonly (FeedEntryView & { readonly data?: unknown })[];
  readonly nextCursor: string;
  readonly hasMore: boolean;
}>('FeedPage', {
  properties: {
    data: { type: 'array', items: entrySchema },
    nextCursor: { type: 'string', description: 'Where to go on, now or later; there always is one.' },
    hasMore: described(
      { type: 'boolean' },
      'There is more now. A page may be short, or empty, all the same.',
    ),
  },
});

/** The page as JSON, in which the payloads are the bytes that came: parsing and printing would change numbers and key order. */
export function feedPageBytes({ entries, nextCursor, hasMore }: dispatchV1.ReadFeedResponse): Uint8Array {
  const parts: Uint8Array[] = [Buffer.from('{"data":[')];
  for (const [index, { delivery, event }] of entries.entries()) {
    if (delivery === undefined) continue;
    const head = JSON.stringify(entryView(delivery, event));
    parts.push(Buffer.from(`${index === 0 ? '' : ','}${event === undefined ? head : head.slice(0, -1)}`));
    if (event !== undefined) parts.push(Buffer.from(',"data":'), event.data, Buffer.from('}'));
  }
  parts.push(Buffer.from(`],"nextCursor":${JSON.stringify(nextCursor)},"hasMore":${hasMore}}`));
  return Buffer.concat(parts);
}

function entryView(
  deliveryMessage: dispatchV1.Delivery,
  eventMessage: dispatchV1.Event | undefined,
): FeedEntryView {
  const { id, eventId, eventType, state, reason, attempts } = deliveryFromMessage(deliveryMessage);
  const event = eventMessage === undefined ? null : eventFromMessage(eventMessage);
  return {
    deliveryId: id,
    eventId,
    eventType,
    state,
    reason,
    attempts,
    // Ids of deliveries begin with it.
    acceptedAt: event?.acceptedAt ?? new Date(idTimeMs(id)),
    isPayloadKept: event !== null,
    occurredAt: event?.occurredAt ?? null,
    labels: event?.labels ?? null,
    subject: event?.subject ?? null,
    orderingKey: event?.orderingKey ?? null,
  };
}
