/** An organisation of its own for each test, with a key of its own, on a platform that the tests of a file share. */
import { eventually } from '@posthorn/testing';
import { createRestClient, type RestClient } from './rest-client.ts';

export interface Tenant extends RestClient {
  readonly id: string;
  readonly slug: string;
  readonly key: string;
  /** Creates an endpoint that retries soon. */
  endpoint(settings: Readonly<Record<string, unknown>> & { readonly url: string }): Promise<EndpointAnswer>;
  /** Publishes; a text is sent as it is. */
  publish(event: object | string): Promise<{ readonly id: string; readonly duplicate: boolean }>;
  /** The delivery of an event to an endpoint, once there is one. */
  delivery(eventId: string, endpointId: string): Promise<DeliveryAnswer>;
  /** The delivery as soon as it is in that state. */
  deliveryIn(state: string, eventId: string, endpointId: string): Promise<DeliveryAnswer>;
  /** A delivery's attempts, oldest first. */
  attempts(deliveryId: string): Promise<readonly AttemptAnswer[]>;
}

export interface EndpointAnswer {
  readonly id: string;
  readonly secret: string;
  readonly state: string;
  readonly stateReason: string | null;
  readonly version: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly health: { readonly state: string; readonly consecutiveFailures: number; readonly waiting: number };
}

export interface DeliveryAnswer {
  readonly id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly attempts: number;
  readonly nextAttemptAt: string | null;
  readonly finishedAt: string | null;
  readonly lastAttempt: AttemptAnswer | null;
}

export interface AttemptAnswer {
  readonly id: string;
  readonly number: number;
  readonly trigger: string;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly outcome: string;
  readonly status: number | null;
  readonly error: string | null;
  readonly response: { readonly body: string; readonly truncated: boolean } | null;
  readonly address: string | null;
  readonly signature: string | null;
}

export interface PageAnswer<T> {
  readonly data: readonly T[];
  readonly nextCursor: string | null;
}

/** Everything that a test waits for comes within this, on the slowest machine. */
export const patienceMs = 60_000;
const retryDelaysMs = [50, 100, 200, 400];
let tenants = 0;

/** What answers requests: one process, or a gateway. */
export interface ServedPlatform {
  readonly url: string;
  readonly operatorKey: string;
}

/** Makes an organisation and a key that may do everything in it. */
export async function createTenant(
  platform: ServedPlatform,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<Tenant> {
  const operator = createRestClient({ url: platform.url, key: platform.operatorKey });
  tenants += 1;
  const slug = `tenant-${tenants}`;
  const { id } = await operator.ok<{ id: string }>('POST', '/v1/organisations', { slug, ...settings });
  const { token: key } = await operator.ok<{ token: string }>('POST', '/v1/keys', {
    name: 'all',
    scopes: ['*'],
    organisation: slug,
  });
  const client = createRestClient({ url: platform.url, key });

  async function delivery(eventId: string, endpointId: string): Promise<DeliveryAnswer> {
    const path = `/v1/deliveries?eventId=${eventId}&endpointId=${endpointId}`;
    const [found] = (await client.ok<PageAnswer<DeliveryAnswer>>('GET', path)).data;
    if (found === undefined) throw new Error(`there is no delivery of ${eventId} to ${endpointId}`);
    return found;
  }

  return {
    ...client,
    id,
    slug,
    key,
    endpoint: (endpoint) => client.ok('POST', '/v1/endpoints', { retryDelaysMs, ...endpoint }),
    publish: (event) => client.ok('POST', '/v1/events', event),
    delivery: (eventId, endpointId) =>
      eventually(() => delivery(eventId, endpointId), { timeoutMs: patienceMs, everyMs: 20 }),
    deliveryIn: (state, eventId, endpointId) =>
      eventually(
        async () => {
          const found = await delivery(eventId, endpointId);
          if (found.state !== state) throw new Error(JSON.stringify(found));
          return found;
        },
        { timeoutMs: patienceMs, everyMs: 20, message: `The delivery being ${state}` },
      ),
    async attempts(deliveryId) {
      const path = `/v1/deliveries/${deliveryId}/attempts`;
      return (await client.ok<PageAnswer<AttemptAnswer>>('GET', path)).data.toReversed();
    },
  };
}
