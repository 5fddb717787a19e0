import {
  configV1,
  dialectTable,
  endpointStateTable,
  endpointToMessage,
  verificationTable,
} from '@posthorn/contracts';
import { DomainError, isId, type Principal, type Violation } from '@posthorn/models';
import { requireOrganisation, type Handlers } from '@posthorn/rpc';
import type {
  EndpointOrder,
  EndpointSearch,
  EndpointStore,
  StoredEndpoint,
  TimeBound,
} from './endpoint-store.ts';
import { refuseIfAny } from '../violations.ts';

/**
 * SearchEndpoints: what the lists of the dialects are made of. A key of an organisation finds its own only; an answer has at most
 * 1,000 endpoints and 8 MiB of them.
 */
export interface EndpointSearchDependencies {
  readonly endpoints: EndpointStore;
  /** The secrets that sign now, as messages. */
  readonly secretsOf: (stored: StoredEndpoint) => configV1.Secret[];
}

const maxFound = 1000;
const maxOrganisations = 1000;
const maxAnswerBytes = 8 * 1024 * 1024;

type SearchHandler = Handlers<typeof configV1.EndpointServiceService>['searchEndpoints'];

export function createEndpointSearch({ endpoints, secretsOf }: EndpointSearchDependencies): SearchHandler {
  return async (request, { principal }) => {
    const found = await endpoints.search(readSearch(request, principal));
    let bytes = 0;
    const shown = found.endpoints.map((stored) => {
      bytes += JSON.stringify(stored.endpoint).length;
      const secrets = request.includeSecrets ? secretsOf(stored) : [];
      return { endpoint: endpointToMessage(stored.endpoint), secrets };
    });
    if (bytes > maxAnswerBytes) {
      const message = 'These endpoints are too large together for one answer; ask for fewer (limit).';
      throw new DomainError('failed_precondition', message);
    }
    return { endpoints: shown, total: BigInt(found.total), hasMore: found.hasMore };
  };
}

const orders: Readonly<Record<configV1.EndpointOrder, EndpointOrder>> = {
  [configV1.EndpointOrder.ENDPOINT_ORDER_UNSPECIFIED]: 'created',
  [configV1.EndpointOrder.ENDPOINT_ORDER_CREATED]: 'created',
  [configV1.EndpointOrder.ENDPOINT_ORDER_MODIFIED]: 'modified',
  [configV1.EndpointOrder.ENDPOINT_ORDER_NAME]: 'name',
};

function readSearch(request: configV1.SearchEndpointsRequest, principal: Principal): EndpointSearch {
  const { dialect, states, verifications, createdAfter, createdBefore, beforeId, afterId } = request;
  const orderBy = orders[request.orderBy] ?? 'created';
  refuseIfAny(checkSearch(request, orderBy));
  return {
    organisationIds: readOrganisations(request.organisationIds, principal),
    ids: request.ids.length === 0 ? null : request.ids,
    dialect: dialect === 0 ? null : dialectTable.fromMessage(dialect, '/dialect'),
    states:
      states.length === 0
        ? null
        : states.map((state, index) => endpointStateTable.fromMessage(state, `/states/${index}`)),
    verifications:
      verifications.length === 0
        ? null
        : verifications.map((each, index) => verificationTable.fromMessage(each, `/verifications/${index}`)),
    editionId: request.editionId ?? null,
    createdAfter: boundOf(createdAfter, request.createdAfterInclusive),
    createdBefore: boundOf(createdBefore, request.createdBeforeInclusive),
    orderBy,
    descending: request.descending,
    offset: request.offset,
    limit: request.limit,
    beside:
      afterId !== undefined
        ? { side: 'after', id: afterId }
        : beforeId !== undefined
          ? { side: 'before', id: beforeId }
          : null,
  };
}

/** Null: all of them, for those who belong to none. */
function readOrganisations(ids: readonly string[], principal: Principal): readonly string[] | null {
  for (const id of ids) requireOrganisation(principal, id);
  if (ids.length > 0) return ids;
  return principal.organisationId === null ? null : [principal.organisationId];
}

function boundOf(at: Date | undefined, inclusive: boolean): TimeBound | null {
  return at === undefined ? null : { at, inclusive };
}

function checkSearch(request: configV1.SearchEndpointsRequest, orderBy: EndpointOrder): readonly Violation[] {
  const { limit, offset, organisationIds, ids, createdAfter, createdBefore, beforeId, afterId } = request;
  const violations: Violation[] = [];
  function refuse(isWrong: boolean, field: string, code: string, message: string): void {
    if (isWrong) violations.push({ field, code, message });
  }
  refuse(limit < 0 || limit > maxFound, '/limit', 'out_of_range', `This must be from 0 to ${maxFound}.`);
  refuse(offset < 0, '/offset', 'out_of_range', 'This must not be negative.');
  refuse(
    organisationIds.length > maxOrganisations,
    '/organisationIds',
    'too_many',
    `At most ${maxOrganisations} are allowed.`,
  );
  refuse(ids.length > maxFound, '/ids', 'too_many', `At most ${maxFound} are allowed.`);
  for (const [field, at] of Object.entries({ createdAfter, createdBefore })) {
    refuse(
      at !== undefined && !isTextOrder(at),
      `/${field}`,
      'out_of_range',
      'This must lie in the years 0 to 9999.',
    );
  }
  for (const [field, id] of Object.entries({ beforeId, afterId })) {
    if (id === undefined) continue;
    refuse(!isId(id), `/${field}`, 'invalid_cursor', 'This must be the id of an endpoint.');
    refuse(orderBy !== 'created', `/${field}`, 'conflict', 'This goes with the order of creation only.');
  }
  refuse(
    beforeId !== undefined && afterId !== undefined,
    '/beforeId',
    'conflict',
    "This can't be given together with afterId.",
  );
  return violations;
}

/** Whether the time's ISO text has four digits for the year, so that texts compare like times. */
function isTextOrder(at: Date): boolean {
  return at.getTime() >= Date.UTC(0, 0) && at.getTime() < Date.UTC(10_000, 0);
}
