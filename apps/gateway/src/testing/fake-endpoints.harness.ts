/** Endpoints as config keeps and searches them, in memory, as far as the dialects rely on it. */
import {
  configV1,
  dialectTable,
  endpointStateTable,
  endpointToMessage,
  secretToMessage,
  verificationTable,
} from '@posthorn/contracts';
import {
  defaultEndpointSettings,
  dialectRules,
  DomainError,
  newId,
  type Dialect,
  type Endpoint,
} from '@posthorn/models';
import type { Handlers } from '@posthorn/rpc';
import { acme } from './fake-services.harness.ts';

interface Kept {
  endpoint: Endpoint;
  secret: string;
}

type EndpointHandlers = Handlers<typeof configV1.EndpointServiceService>;

export interface FakeEndpoints {
  readonly handlers: Pick<
    EndpointHandlers,
    | 'createEndpoint'
    | 'updateEndpoint'
    | 'setEndpointState'
    | 'startVerification'
    | 'deleteEndpoint'
    | 'rotateSecret'
    | 'searchEndpoints'
  >;
  /** Puts one in as it is; what isn't given is as in a new one of acme's. */
  add(dialect: Dialect, given?: Partial<Endpoint>, secret?: string): Endpoint;
  change(id: string, changes: Partial<Endpoint>): void;
  find(id: string): Endpoint | undefined;
  clear(): void;
}

/** Each endpoint is made a second after the one before it, from noon of 2026-01-31 on. */
const firstAt = Date.parse('2026-01-31T12:00:00.000Z');

export function createFakeEndpoints(): FakeEndpoints {
  const kept: Kept[] = [];
  let count = 0;

  function add(
    dialect: Dialect,
    given: Partial<Endpoint> = {},
    secret = `secret-number-${count + 1}`,
  ): Endpoint {
    const at = new Date(firstAt + count * 1_000);
    count++;
    const rules = dialectRules[dialect];
    const id = newId(at.getTime(), (bytes) => new Uint8Array(bytes).fill(count));
    const isVerified = rules.verifiedBy !== 'nothing';
    const endpoint: Endpoint = {
      ...defaultEndpointSettings,
      id,
      number: count,
      organisationId: acme.id,
      dialect,
      url: 'https://example.com/hooks',
      format: rules.formats[0],
      signing: [],
      timeoutMs: rules.timeoutMs,
      retryDelaysMs: rules.retryDelaysMs,
      state: 'enabled',
      stateReason: null,
      verification: isVerified ? 'pending' : 'none',
      verificationId: isVerified
        ? newId(at.getTime(), (bytes) => new Uint8Array(bytes).fill(count + 100))
        : null,
      verificationExpiresAt: null,
      version: 1,
      createdAt: at,
      updatedAt: at,
      ...given,
    };
    kept.push({ endpoint, secret });
    return endpoint;
  }

  function at(organisationId: string, id: string): Kept {
    const found = kept.find(
      ({ endpoint }) => endpoint.id === id && endpoint.organisationId === organisationId,
    );
    if (found === undefined) throw new DomainError('not_found', 'There is no such endpoint.');
    return found;
  }

  const message = ({ endpoint, secret }: Kept): Required<configV1.FoundEndpoint> => ({
    endpoint: endpointToMessage(endpoint),
    secrets: [secretToMessage({ scheme: 'text', secret, createdAt: endpoint.createdAt, expiresAt: null })],
  });

  function openRound(one: Kept): void {
    const id = newId(firstAt + 1_000_000 + ++count, (bytes) => new Uint8Array(bytes).fill(7));
    one.endpoint = { ...one.endpoint, verification: 'pending', verificationId: id };
  }

  const handlers = {
    createEndpoint: async ({ endpoint, secret }) => {
      if (endpoint === undefined) throw new DomainError('invalid_argument', 'There is no endpoint.');
      const { organisationId, url, name, editionId, timeoutMs, format, eventTypes, state } = endpoint;
      const dialect = dialectTable.fromMessage(endpoint.dialect, '/dialect');
      const made = add(
        dialect,
        {
          organisationId,
          url,
          name,
          editionId: editionId ?? null,
          eventTypes: eventTypes?.values ?? null,
          ...(timeoutMs > 0 && { timeoutMs }),
          ...(format > 0 && { format: formatOf(format) }),
          ...(state > 0 && { state: endpointStateTable.fromMessage(state, '/state') }),
        },
        secret,
      );
      return message(at(organisationId, made.id));
    },
    updateEndpoint: async ({ organisationId, idOrUid, endpoint, updateMask, startVerification, secret }) => {
      const one = at(organisationId, idOrUid);
      const changes: Partial<Endpoint> = {
        ...(updateMask?.includes('state') && {
          state: endpointStateTable.fromMessage(endpoint?.state ?? 0, '/state'),
        }),
        ...(updateMask?.includes('url') && { url: endpoint?.url ?? '' }),
        ...(updateMask?.includes('name') && { name: endpoint?.name ?? '' }),
        ...(updateMask?.includes('event_types') && { eventTypes: endpoint?.eventTypes?.values ?? null }),
        ...(updateMask?.includes('edition_id') && { editionId: endpoint?.editionId ?? null }),
        ...(updateMask?.includes('timeout_ms') && { timeoutMs: endpoint?.timeoutMs ?? 0 }),
        ...(updateMask?.includes('format') && { format: formatOf(endpoint?.format ?? 0) }),
      };
      const updatedAt = new Date(one.endpoint.createdAt.getTime() + 60_000);
      one.endpoint = { ...one.endpoint, ...changes, updatedAt, version: one.endpoint.version + 1 };
      if (secret !== undefined) one.secret = secret;
      if (startVerification === true) openRound(one);
      return message(one);
    },
    setEndpointState: async ({ organisationId, idOrUid, state, reason }) => {
      const one = at(organisationId, idOrUid);
      one.endpoint = {
        ...one.endpoint,
        state: endpointStateTable.fromMessage(state, '/state'),
        stateReason: reason === '' ? null : reason,
      };
      return { endpoint: message(one).endpoint };
    },
    startVerification: async ({ organisationId, idOrUid }) => {
      const one = at(organisationId, idOrUid);
      openRound(one);
      return { endpoint: message(one).endpoint };
    },
    deleteEndpoint: async ({ organisationId, idOrUid }) => {
      kept.splice(kept.indexOf(at(organisationId, idOrUid)), 1);
      return {};
    },
    rotateSecret: async ({ organisationId, idOrUid, secret }) => {
      const one = at(organisationId, idOrUid);
      one.secret = secret ?? `rotated-secret-number-${++count}`;
      return { secrets: message(one).secrets };
    },
    searchEndpoints: async (asked, { principal }) => {
      const own = principal.organisationId;
      if (own !== null && asked.organisationIds.some((id) => id !== own))
        throw new DomainError('not_found', 'There is no such organisation.');
      const organisations =
        asked.organisationIds.length === 0 && own !== null ? [own] : asked.organisationIds;
      const all = kept
        .filter(({ endpoint }) => matches(endpoint, asked, organisations))
        .toSorted(orderOf(asked));
      const beside = besideOf(all, asked);
      const items = asked.beforeId === undefined ? beside.slice(0, asked.limit) : beside.slice(-asked.limit);
      return {
        endpoints: items.map((one) =>
          asked.includeSecrets ? message(one) : { ...message(one), secrets: [] },
        ),
        total: BigInt(all.length),
        hasMore: beside.length > items.length,
      };
    },
  } satisfies Partial<EndpointHandlers>;

  return {
    handlers,
    add,
    change(id, changes) {
      for (const one of kept) if (one.endpoint.id === id) one.endpoint = { ...one.endpoint, ...changes };
    },
    find: (id) => kept.find(({ endpoint }) => endpoint.id === id)?.endpoint,
    clear: () => void kept.splice(0),
  };
}

function formatOf(format: configV1.EndpointFormat): Endpoint['format'] {
  return format === configV1.EndpointFormat.ENDPOINT_FORMAT_DISCORD
    ? 'discord'
    : format === configV1.EndpointFormat.ENDPOINT_FORMAT_SLACK
      ? 'slack'
      : 'raw';
}

function matches(
  endpoint: Endpoint,
  asked: configV1.SearchEndpointsRequest,
  organisations: readonly string[],
): boolean {
  const { createdAfter, createdBefore } = asked;
  const created = endpoint.createdAt.getTime();
  const isAny = <T>(wanted: readonly T[], value: T): boolean => wanted.length === 0 || wanted.includes(value);
  return (
    isAny(organisations, endpoint.organisationId) &&
    isAny(asked.ids, endpoint.id) &&
    (asked.dialect === 0 || dialectTable.toMessage(endpoint.dialect) === asked.dialect) &&
    isAny(asked.states, endpointStateTable.toMessage(endpoint.state)) &&
    isAny(asked.verifications, verificationTable.toMessage(endpoint.verification)) &&
    (asked.editionId === undefined || endpoint.editionId === asked.editionId) &&
    (createdAfter === undefined ||
      created > createdAfter.getTime() ||
      (asked.createdAfterInclusive && created === createdAfter.getTime())) &&
    (createdBefore === undefined ||
      created < createdBefore.getTime() ||
      (asked.createdBeforeInclusive && created === createdBefore.getTime()))
  );
}

function orderOf({ orderBy, descending }: configV1.SearchEndpointsRequest): (a: Kept, b: Kept) => number {
  const key = ({ endpoint }: Kept): string =>
    orderBy === configV1.EndpointOrder.ENDPOINT_ORDER_NAME
      ? endpoint.name
      : orderBy === configV1.EndpointOrder.ENDPOINT_ORDER_MODIFIED
        ? endpoint.updatedAt.toISOString()
        : endpoint.id;
  const sign = descending ? -1 : 1;
  return (a, b) =>
    sign * (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a.endpoint.id < b.endpoint.id ? -1 : 1);
}

/** Those that come after, or before, the endpoint that is named; all but the skipped ones otherwise. */
function besideOf(all: readonly Kept[], asked: configV1.SearchEndpointsRequest): readonly Kept[] {
  const { afterId, beforeId, descending, offset } = asked;
  const isBehind = (id: string, cursor: string): boolean => (descending ? id < cursor : id > cursor);
  if (afterId !== undefined) return all.filter(({ endpoint }) => isBehind(endpoint.id, afterId));
  if (beforeId !== undefined) return all.filter(({ endpoint }) => isBehind(beforeId, endpoint.id));
  return all.slice(offset);
}
