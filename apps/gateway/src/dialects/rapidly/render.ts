/** Endpoints, and attempts with their deliveries, as rapidly shows them: its event is our delivery, its delivery our attempt. */
import { configV1, dispatchV1 } from '@posthorn/contracts';
import { found } from '../../native/found.ts';
import { eventTypes, type Format } from './parse.ts';

export interface RapidlyEndpoint {
  readonly created_at: string;
  readonly modified_at: string | null;
  readonly id: string;
  readonly url: string;
  readonly format: Format;
  readonly secret: string;
  readonly workspace_id: string;
  readonly events: readonly string[];
  readonly enabled: boolean;
}

export interface RapidlyEvent {
  readonly created_at: string;
  readonly modified_at: string | null;
  readonly id: string;
  readonly last_http_code: number | null;
  readonly succeeded: boolean | null;
  readonly skipped: boolean;
  readonly payload: string | null;
  readonly type: string;
  readonly is_archived: boolean;
}

export interface RapidlyDelivery {
  readonly created_at: string;
  readonly modified_at: string | null;
  readonly id: string;
  readonly succeeded: boolean;
  readonly http_code: number | null;
  readonly response: string | null;
  readonly webhook_event: RapidlyEvent;
}

const maxResponseLength = 2048;
const unreachableAddress = 'URL resolves to a private/internal IP address';

/** `secrets`: all that sign now, the newest first. */
export function renderEndpoint(
  endpoint: configV1.Endpoint,
  secrets: readonly configV1.Secret[],
): RapidlyEndpoint {
  const createdAt = found(endpoint.createdAt);
  const updatedAt = found(endpoint.updatedAt);
  return {
    created_at: createdAt.toISOString(),
    modified_at: updatedAt.getTime() === createdAt.getTime() ? null : updatedAt.toISOString(),
    id: endpoint.id,
    url: endpoint.url,
    format: formatOf(endpoint.format),
    secret: found(secrets[0]).secret,
    workspace_id: endpoint.organisationId,
    events: eventsOf(endpoint.eventTypes?.values ?? ['*']),
    enabled: endpoint.state === configV1.EndpointState.ENDPOINT_STATE_ENABLED,
  };
}

/** The native API may have given it patterns: then those of the dialect's events that fit. */
function eventsOf(patterns: readonly string[]): readonly string[] {
  const fits = (pattern: string, type: string): boolean =>
    pattern === '*' || (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1)));
  return [
    ...new Set(
      patterns.flatMap((pattern) =>
        pattern.endsWith('*') ? eventTypes.filter((type) => fits(pattern, type)) : [pattern],
      ),
    ),
  ];
}

const { EndpointFormat } = configV1;

function formatOf(format: configV1.EndpointFormat): Format {
  if (format === EndpointFormat.ENDPOINT_FORMAT_DISCORD) return 'discord';
  return format === EndpointFormat.ENDPOINT_FORMAT_SLACK ? 'slack' : 'raw';
}

const messageFormats = {
  raw: EndpointFormat.ENDPOINT_FORMAT_RAW,
  discord: EndpointFormat.ENDPOINT_FORMAT_DISCORD,
  slack: EndpointFormat.ENDPOINT_FORMAT_SLACK,
} as const satisfies Record<Format, configV1.EndpointFormat>;

/** A format as config knows it. */
export function formatMessage(format: Format): configV1.EndpointFormat {
  return messageFormats[format];
}

export function renderDelivery({ attempt: message, delivery }: dispatchV1.FoundAttempt): RapidlyDelivery {
  const attempt = found(message);
  return {
    created_at: found(attempt.startedAt).toISOString(),
    modified_at: null,
    id: attempt.id,
    succeeded: attempt.outcome === dispatchV1.AttemptOutcome.ATTEMPT_OUTCOME_SUCCESS,
    http_code: attempt.status ?? null,
    response: responseOf(attempt),
    webhook_event: renderEvent(found(delivery)),
  };
}

/** What came back, or why nothing did. */
function responseOf({ response, error, outcome }: dispatchV1.Attempt): string | null {
  const { ATTEMPT_OUTCOME_BLOCKED, ATTEMPT_OUTCOME_DNS } = dispatchV1.AttemptOutcome;
  if (outcome === ATTEMPT_OUTCOME_BLOCKED || outcome === ATTEMPT_OUTCOME_DNS) return unreachableAddress;
  const text = response?.body ?? error;
  return text === undefined ? null : [...text].slice(0, maxResponseLength).join('');
}

function renderEvent({ delivery: message, event, body }: dispatchV1.FoundDelivery): RapidlyEvent {
  const delivery = found(message);
  return {
    created_at: found(delivery.createdAt).toISOString(),
    modified_at: delivery.modifiedAt?.toISOString() ?? null,
    id: delivery.id,
    last_http_code: delivery.lastAttempt?.status ?? null,
    succeeded: succeededOf(delivery.state),
    skipped: delivery.reason === 'endpoint_disabled',
    payload: event === undefined || body === undefined ? null : new TextDecoder().decode(body),
    type: delivery.eventType,
    is_archived: event === undefined,
  };
}

const { DeliveryState } = dispatchV1;
const endedBadly: readonly dispatchV1.DeliveryState[] = [
  DeliveryState.DELIVERY_STATE_EXHAUSTED,
  DeliveryState.DELIVERY_STATE_FAILED,
  DeliveryState.DELIVERY_STATE_CANCELLED,
];

function succeededOf(state: dispatchV1.DeliveryState): boolean | null {
  if (state === DeliveryState.DELIVERY_STATE_SUCCEEDED) return true;
  return endedBadly.includes(state) ? false : null;
}
