import { deliveryFromMessage, type dispatchV1 } from '@posthorn/contracts';
import { deliveryStates, type DeliveryState } from '@posthorn/models';
import { attemptSchema, attemptView, type AttemptView } from './attempt.ts';
import { answerSchema, pageSchema, type Definition } from '../routing/schema.ts';

/** One event for one endpoint, as the API shows it. */
export interface DeliveryView {
  readonly id: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly endpointId: string;
  readonly state: DeliveryState;
  readonly reason: string | null;
  readonly attempts: number;
  readonly nextAttemptAt: Date | null;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
  readonly lastAttempt: AttemptView | null;
}

const time: Definition = { type: 'string', format: 'date-time' };
const timeOrNull: Definition = { type: ['string', 'null'], format: 'date-time' };

export const deliverySchema = answerSchema<DeliveryView>('Delivery', {
  description: 'One event for one endpoint, and how it stands.',
  properties: {
    id: { type: 'string', description: 'The same however often the event is planned again.' },
    eventId: { type: 'string' },
    eventType: { type: 'string' },
    endpointId: { type: 'string' },
    state: {
      type: 'string',
      enum: deliveryStates,
      description:
        '`pending` until the first attempt has ended, `retrying` between failures; `held` while its endpoint is paused or disabled; `succeeded`, `exhausted` (no attempts left), `failed` (given up for good) and `cancelled` are final.',
    },
    reason: { type: ['string', 'null'], description: 'Why it is in this state, where that is not obvious.' },
    attempts: { type: 'integer', minimum: 0, description: 'How many attempts have ended.' },
    nextAttemptAt: timeOrNull,
    createdAt: time,
    finishedAt: timeOrNull,
    lastAttempt: { oneOf: [attemptSchema, { type: 'null' }] },
  },
});

export const deliveryPageSchema = pageSchema(deliverySchema);

export function deliveryView(message: dispatchV1.Delivery): DeliveryView {
  const delivery = deliveryFromMessage(message);
  return {
    id: delivery.id,
    eventId: delivery.eventId,
    eventType: delivery.eventType,
    endpointId: delivery.endpointId,
    state: delivery.state,
    reason: delivery.reason,
    attempts: delivery.attempts,
    nextAttemptAt: delivery.nextAttemptAt,
    createdAt: delivery.createdAt,
    finishedAt: delivery.finishedAt,
    lastAttempt: message.lastAttempt === undefined ? null : attemptView(message.lastAttempt),
  };
}

/** As it may be kept with an idempotency key: what receivers answered stands in their attempts alone, where erasing finds it. */
export function deliveryToKeep(delivery: DeliveryView): DeliveryView {
  const { lastAttempt } = delivery;
  return { ...delivery, lastAttempt: lastAttempt && { ...lastAttempt, response: null } };
}
