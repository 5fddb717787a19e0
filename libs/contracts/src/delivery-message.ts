import type { Attempt, Delivery, DeliveryState } from '@posthorn/models';
import { attemptFromMessage, attemptToMessage } from './attempt-message.ts';
import { createEnumTable } from './enum-table.ts';
import * as dispatchV1 from './gen/posthorn/dispatch/v1/dispatch.ts';
import { required } from './required.ts';

/** A delivery's `state` and its enum. */
export const deliveryStateTable = createEnumTable({
  pending: dispatchV1.DeliveryState.DELIVERY_STATE_PENDING,
  retrying: dispatchV1.DeliveryState.DELIVERY_STATE_RETRYING,
  succeeded: dispatchV1.DeliveryState.DELIVERY_STATE_SUCCEEDED,
  exhausted: dispatchV1.DeliveryState.DELIVERY_STATE_EXHAUSTED,
  failed: dispatchV1.DeliveryState.DELIVERY_STATE_FAILED,
  held: dispatchV1.DeliveryState.DELIVERY_STATE_HELD,
  cancelled: dispatchV1.DeliveryState.DELIVERY_STATE_CANCELLED,
} satisfies Record<DeliveryState, dispatchV1.DeliveryState>);

/** A delivery as it is shown: what the next attempt is for is the dispatcher's own business, the last attempt is of interest. */
export interface DeliveryView extends Omit<Delivery, 'trigger'> {
  readonly lastAttempt: Attempt | null;
  /** When something of it changed last; null while nothing has since it was made. */
  readonly modifiedAt: Date | null;
}

/** The delivery as a message. */
export function deliveryToMessage(delivery: DeliveryView): dispatchV1.Delivery {
  return {
    id: delivery.id,
    organisationId: delivery.organisationId,
    eventId: delivery.eventId,
    eventType: delivery.eventType,
    endpointId: delivery.endpointId,
    state: deliveryStateTable.toMessage(delivery.state),
    reason: delivery.reason ?? undefined,
    attempts: delivery.attempts,
    nextAttemptAt: delivery.nextAttemptAt ?? undefined,
    createdAt: delivery.createdAt,
    finishedAt: delivery.finishedAt ?? undefined,
    lastAttempt: delivery.lastAttempt === null ? undefined : attemptToMessage(delivery.lastAttempt),
    modifiedAt: delivery.modifiedAt ?? undefined,
  };
}

/** The delivery of a message. Throws `invalid_argument` when something is unspecified. */
export function deliveryFromMessage(message: dispatchV1.Delivery): DeliveryView {
  return {
    id: message.id,
    organisationId: message.organisationId,
    eventId: message.eventId,
    eventType: message.eventType,
    endpointId: message.endpointId,
    state: deliveryStateTable.fromMessage(message.state, '/state'),
    reason: message.reason ?? null,
    attempts: message.attempts,
    nextAttemptAt: message.nextAttemptAt ?? null,
    createdAt: required(message.createdAt, '/createdAt'),
    finishedAt: message.finishedAt ?? null,
    lastAttempt: message.lastAttempt === undefined ? null : attemptFromMessage(message.lastAttempt),
    modifiedAt: message.modifiedAt ?? null,
  };
}
