/** Endpoints, tasks, deliveries and keys as ricloud shows them. */
import type { DeliveryView } from '@posthorn/contracts';
import type { ApiKey, DeliveryState, Endpoint, Event, Task, TaskState } from '@posthorn/models';
import type { FoundEndpoint } from '../find-endpoint.ts';
import { microseconds, microsecondsOrNull } from '../times.ts';
import { renderList, type RicloudList } from './paging.ts';
import type { ConfigState } from './parse.ts';

export interface RicloudConfig {
  readonly id: string;
  readonly resource: 'webhook_config';
  readonly organisation: string;
  readonly url: string;
  readonly secret: string | null;
  readonly state: ConfigState;
  readonly date_created: string;
}

/** A webhook config; its secret is shown on every read. */
export function renderConfig({ endpoint, secret }: FoundEndpoint): RicloudConfig {
  return {
    id: endpoint.id,
    resource: 'webhook_config',
    organisation: endpoint.organisationId,
    url: endpoint.url,
    secret,
    state: configStateOf(endpoint),
    date_created: microseconds(endpoint.createdAt),
  };
}

/** The state of a config: whoever turned it off, it is deactivated; otherwise its last test counts. */
function configStateOf({ state, verification }: Endpoint): ConfigState {
  if (state === 'disabled') return 'deactivated';
  return ({ none: 'new', pending: 'new', passed: 'valid', failed: 'invalid' } as const)[verification];
}

export interface RicloudTask {
  readonly id: string;
  readonly resource: 'task';
  readonly organisation: string;
  readonly key: string | null;
  readonly type: 'webhook_config.test';
  readonly target: null;
  readonly state: TaskState;
  readonly results: RicloudList<never>;
  readonly error: string | null;
  readonly date_created: string;
  readonly date_started: string | null;
  readonly date_completed: string | null;
}

/** A task; the only ones there are test a config, and have no results but their outcome. */
export function renderTask(task: Task): RicloudTask {
  return {
    id: task.id,
    resource: 'task',
    organisation: task.organisationId,
    key: task.keyId,
    type: 'webhook_config.test',
    target: null,
    state: task.state,
    results: renderList<never>([], { hasMore: false, total: 0n, url: '/results' }),
    error: task.error,
    date_created: microseconds(task.createdAt),
    date_started: microsecondsOrNull(task.startedAt),
    date_completed: microsecondsOrNull(task.completedAt),
  };
}

export type RicloudEventState = 'pending' | 'delivered' | 'failed';

/** How a delivery's state is shown. */
const eventStates = {
  pending: 'pending',
  retrying: 'pending',
  held: 'pending',
  succeeded: 'delivered',
  exhausted: 'failed',
  failed: 'failed',
  cancelled: 'failed',
} as const satisfies Record<DeliveryState, RicloudEventState>;

/**
 * An event and its delivery to a config, as JSON text: `data` is the payload as the very bytes that were published, and null once those
 * are no longer kept.
 */
export function eventText(delivery: DeliveryView, event: Event | null): string {
  const { type, action } = splitType(delivery.eventType);
  const head = { id: delivery.eventId, resource: 'event', type, action };
  const isDelivered = delivery.state === 'succeeded';
  const tail = {
    state: eventStates[delivery.state],
    // The first attempt is no retry.
    retries: Math.max(0, delivery.attempts - 1),
    date_created: microseconds(event?.acceptedAt ?? delivery.createdAt),
    date_delivered: isDelivered ? microsecondsOrNull(delivery.finishedAt) : null,
  };
  const data = event === null ? 'null' : Buffer.from(event.payload).toString('utf8');
  return `${JSON.stringify(head).slice(0, -1)},"data":${data},${JSON.stringify(tail).slice(1)}`;
}

/** A list of what is JSON text already. */
export function listText(
  items: readonly string[],
  list: { hasMore: boolean; total: bigint; url: string },
): string {
  const { resource, data: _, ...rest } = renderList<never>([], list);
  return `${JSON.stringify({ resource }).slice(0, -1)},"data":[${items.join(',')}],${JSON.stringify(rest).slice(1)}`;
}

/** `webhook_config.test` is the action `test` of the type `webhook_config`: the last dot counts. */
function splitType(eventType: string): { readonly type: string; readonly action: string } {
  const dot = eventType.lastIndexOf('.');
  return { type: eventType.slice(0, Math.max(0, dot)), action: eventType.slice(dot + 1) };
}

export interface RicloudKey {
  readonly id: string;
  readonly resource: 'key';
  /** Null for an operator's. */
  readonly organisation: string | null;
  readonly state: 'valid';
  readonly date_created: string;
}

/** A key that works: another could not have asked. */
export function renderKey(key: Pick<ApiKey, 'id' | 'organisationId' | 'createdAt'>): RicloudKey {
  return {
    id: key.id,
    resource: 'key',
    organisation: key.organisationId,
    state: 'valid',
    date_created: microseconds(key.createdAt),
  };
}
