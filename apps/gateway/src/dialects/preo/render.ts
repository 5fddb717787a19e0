/** Endpoints and deliveries as preo shows them, their fields in its order. */
import { configV1, dispatchV1 } from '@posthorn/contracts';
import { found } from '../../native/found.ts';
import { microseconds } from '../times.ts';
import type { Status } from './parse.ts';

export interface PreoEndpoint {
  readonly id: string;
  readonly organization_id: string;
  readonly name: string;
  readonly url: string;
  readonly edition_id: string | null;
  readonly events: readonly string[];
  readonly created: string;
  readonly modified: string;
  readonly is_active: boolean;
  readonly timeout_seconds: number;
  readonly secret: string | null;
}

export interface PreoDelivery {
  readonly id: string;
  readonly event: string;
  readonly created: string;
  readonly endpoint_id: string;
  readonly payload: string;
  readonly status: Status;
  readonly attempts: number;
  readonly response_status_code: number | null;
  readonly last_attempt_at: string | null;
  readonly next_retry_at: string | null;
  readonly signature: string | null;
}

/** The secret is shown when it is made, and null everywhere else. */
export function renderEndpoint(endpoint: configV1.Endpoint, secret: string | null = null): PreoEndpoint {
  return {
    id: endpoint.id,
    organization_id: endpoint.organisationId,
    name: endpoint.name,
    url: endpoint.url,
    edition_id: endpoint.editionId ?? null,
    events: endpoint.eventTypes?.values ?? ['*'],
    created: microseconds(found(endpoint.createdAt)),
    modified: microseconds(found(endpoint.updatedAt)),
    is_active: endpoint.state === configV1.EndpointState.ENDPOINT_STATE_ENABLED,
    timeout_seconds: Math.max(1, Math.round(endpoint.timeoutMs / 1000)),
    secret,
  };
}

export function renderDelivery({ delivery: message, body }: dispatchV1.FoundDelivery): PreoDelivery {
  const delivery = found(message);
  const { lastAttempt } = delivery;
  const status = statusOf(delivery.state);
  return {
    id: delivery.id,
    event: delivery.eventType,
    created: microseconds(found(delivery.createdAt)),
    endpoint_id: delivery.endpointId,
    payload: body === undefined ? '' : new TextDecoder().decode(body),
    status,
    attempts: delivery.attempts,
    response_status_code: lastAttempt?.status ?? null,
    last_attempt_at: lastAttempt?.startedAt === undefined ? null : microseconds(lastAttempt.startedAt),
    next_retry_at:
      status === 'retrying' && delivery.nextAttemptAt !== undefined
        ? microseconds(delivery.nextAttemptAt)
        : null,
    signature: lastAttempt?.signature ?? null,
  };
}

const { DeliveryState } = dispatchV1;

/** What is held waits for its endpoint; what was cancelled will never be sent. */
const statesByStatus = {
  pending: [DeliveryState.DELIVERY_STATE_PENDING, DeliveryState.DELIVERY_STATE_HELD],
  success: [DeliveryState.DELIVERY_STATE_SUCCEEDED],
  failed: [DeliveryState.DELIVERY_STATE_FAILED, DeliveryState.DELIVERY_STATE_CANCELLED],
  retrying: [DeliveryState.DELIVERY_STATE_RETRYING],
  exhausted: [DeliveryState.DELIVERY_STATE_EXHAUSTED],
} as const satisfies Record<Status, readonly dispatchV1.DeliveryState[]>;

/** The states of our deliveries that a status stands for. */
export function statesOf(status: Status): dispatchV1.DeliveryState[] {
  return [...statesByStatus[status]];
}

function statusOf(state: dispatchV1.DeliveryState): Status {
  const statuses = Object.keys(statesByStatus) as Status[];
  return statuses.find((status) => statesOf(status).includes(state)) ?? 'pending';
}
