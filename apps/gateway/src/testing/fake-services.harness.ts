/**
 * The services behind the gateway, as far as a test says what they answer: anything else is not found. They are called
 * through the real in-process client, so that deadlines, principals and error mapping are as in production.
 */
import { createHash } from 'node:crypto';
import { configV1, dispatchV1, ingestV1 } from '@posthorn/contracts';
import { DomainError, type Scope } from '@posthorn/models';
import {
  createInProcessClient,
  defineService,
  type Client,
  type Handlers,
  type ServiceDefinition,
} from '@posthorn/rpc';
import { createMetrics, silentLogger, systemClock } from '@posthorn/runtime';
import type { GatewayClients } from '../clients.ts';

/** What each service answers; methods that are left out answer `not_found`. */
export interface FakeHandlers {
  readonly organisations?: Partial<Handlers<typeof configV1.OrganisationServiceService>>;
  readonly keys?: Partial<Handlers<typeof configV1.KeyServiceService>>;
  readonly eventTypes?: Partial<Handlers<typeof configV1.EventTypeServiceService>>;
  readonly endpoints?: Partial<Handlers<typeof configV1.EndpointServiceService>>;
  readonly policies?: Partial<Handlers<typeof configV1.PolicyServiceService>>;
  readonly encryption?: Partial<Handlers<typeof configV1.EncryptionServiceService>>;
  readonly idempotency?: Partial<Handlers<typeof configV1.IdempotencyServiceService>>;
  readonly audit?: Partial<Handlers<typeof configV1.AuditServiceService>>;
  readonly ingest?: Partial<Handlers<typeof ingestV1.IngestServiceService>>;
  readonly events?: Partial<Handlers<typeof dispatchV1.EventServiceService>>;
  readonly deliveries?: Partial<Handlers<typeof dispatchV1.DeliveryServiceService>>;
  readonly activity?: Partial<Handlers<typeof dispatchV1.EndpointActivityServiceService>>;
  readonly tasks?: Partial<Handlers<typeof dispatchV1.TaskServiceService>>;
  readonly replays?: Partial<Handlers<typeof dispatchV1.ReplayServiceService>>;
  readonly erasures?: Partial<Handlers<typeof dispatchV1.ErasureServiceService>>;
}

export const acme = { id: '01890000-0000-4000-8000-00000000ac3e', slug: 'acme' } as const;
export const globex = { id: '01890000-0000-4000-8000-000000091bec', slug: 'globex' } as const;

const anyTime = new Date('2026-01-31T12:00:00.000Z');

function organisationMessage({
  id,
  slug,
}: {
  readonly id: string;
  readonly slug: string;
}): configV1.Organisation {
  return configV1.Organisation.fromPartial({
    id,
    slug,
    name: slug,
    timeZone: 'UTC',
    branding: {},
    retention: { payloadDays: 30, metadataDays: 90 },
    createdAt: anyTime,
    updatedAt: anyTime,
  });
}

/** Tokens that `fakeClients` knows. */
export const tokens = {
  operator: 'operator-key-of-the-tests',
  acme: 'key-of-acme-that-may-do-all',
  reader: 'key-of-acme-that-may-read-endpoints',
  publisher: 'key-of-acme-that-may-publish',
  routed: 'key-of-acme-that-publishes-to-one-endpoint',
  feed: 'key-of-acme-that-reads-one-feed',
  limited: 'key-of-acme-that-may-publish-seven-a-day',
} as const;

/** Where `tokens.routed` publishes to. */
export const routedTo = '01890000-0000-4000-8000-0000000000e9';

/** Whose feed `tokens.feed` reads. */
export const feedOf = '01890000-0000-4000-8000-0000000000ef';

interface KnownKey {
  readonly organisationId?: string;
  readonly scopes: Scope[];
  readonly routesTo?: string;
  readonly endpointId?: string;
  readonly limits?: configV1.PublishLimits;
}

const knownKeys: Readonly<Record<string, KnownKey>> = {
  [tokens.operator]: { scopes: ['*'] },
  [tokens.acme]: { organisationId: acme.id, scopes: ['*'] },
  [tokens.reader]: { organisationId: acme.id, scopes: ['endpoints:read'] },
  [tokens.publisher]: { organisationId: acme.id, scopes: ['events:write'] },
  [tokens.routed]: { organisationId: acme.id, scopes: ['events:write'], routesTo: routedTo },
  [tokens.feed]: { organisationId: acme.id, scopes: ['feed:read'], endpointId: feedOf },
  [tokens.limited]: {
    organisationId: acme.id,
    scopes: ['events:write'],
    limits: { publishesPerDay: 7n },
  },
};

const keysByDigest = new Map(
  Object.entries(knownKeys).map(([token, { organisationId, ...rest }]) => [
    createHash('sha256').update(token).digest('hex'),
    configV1.ApiKey.fromPartial({
      id: token,
      name: token,
      ...rest,
      createdAt: anyTime,
      ...(organisationId !== undefined && { organisationId }),
    }),
  ]),
);

/** Clients of services that know the keys of `tokens`, the organisations acme and globex, and what the handlers say. */
export function fakeClients(handlers: FakeHandlers = {}): GatewayClients {
  return {
    organisations: fake(configV1.OrganisationServiceService, {
      getOrganisation: ({ idOrSlug }) => {
        const known = [acme, globex].find(({ id, slug }) => id === idOrSlug || slug === idOrSlug);
        return known === undefined
          ? notFound()
          : Promise.resolve({ organisation: organisationMessage(known) });
      },
      ...handlers.organisations,
    }),
    keys: fake(configV1.KeyServiceService, {
      authenticate: ({ tokenSha256 }) => {
        const key = keysByDigest.get(Buffer.from(tokenSha256).toString('hex'));
        return key === undefined
          ? Promise.reject(new DomainError('unauthenticated', 'The API key is unknown.'))
          : Promise.resolve({ key });
      },
      ...handlers.keys,
    }),
    eventTypes: fake(configV1.EventTypeServiceService, handlers.eventTypes),
    endpoints: fake(configV1.EndpointServiceService, handlers.endpoints),
    policies: fake(configV1.PolicyServiceService, handlers.policies),
    idempotency: fake(configV1.IdempotencyServiceService, handlers.idempotency),
    encryption: fake(configV1.EncryptionServiceService, handlers.encryption),
    audit: fake(configV1.AuditServiceService, handlers.audit),
    ingest: fake(ingestV1.IngestServiceService, handlers.ingest),
    events: fake(dispatchV1.EventServiceService, handlers.events),
    deliveries: fake(dispatchV1.DeliveryServiceService, handlers.deliveries),
    activity: fake(dispatchV1.EndpointActivityServiceService, handlers.activity),
    tasks: fake(dispatchV1.TaskServiceService, handlers.tasks),
    replays: fake(dispatchV1.ReplayServiceService, handlers.replays),
    erasures: fake(dispatchV1.ErasureServiceService, handlers.erasures),
  };
}

function fake<D extends ServiceDefinition>(definition: D, handlers: Partial<Handlers<D>> = {}): Client<D> {
  const missing = Object.fromEntries(Object.keys(definition).map((method) => [method, notFound]));
  const all = { ...missing, ...handlers } as Handlers<D>;
  const options = { logger: silentLogger, metrics: createMetrics(), clock: systemClock };
  return createInProcessClient(defineService(definition, all), options);
}

function notFound(): Promise<never> {
  return Promise.reject(new DomainError('not_found', 'There is no such thing.'));
}
