import {
  configV1,
  dialectTable,
  eventTypeToMessage,
  organisationToMessage,
  signingEndpointToMessage,
  signingPolicyToMessage,
} from '@posthorn/contracts';
import { DomainError, type Endpoint, type EventType } from '@posthorn/models';
import { defineService, type ServiceRegistration } from '@posthorn/rpc';
import type { Clock } from '@posthorn/runtime';
import { noSuchOrganisation, requireService } from '../authority.ts';
import type { EndpointVault } from '../endpoints/endpoint-secrets.ts';
import type { StoredEndpoint } from '../endpoints/endpoint-store.ts';
import { callbackPathOf } from '../endpoints/endpoint-verification.ts';
import type { EventTypePosition } from '../event-types/event-type-store.ts';
import { createPageBudget, fillPage, type PageSource } from '../page-budget.ts';
import { readCursor, writeCursor, type CursorCodec } from '../page.ts';
import type { PolicyVault } from '../policies/policy-keys.ts';
import type { StoredPolicy } from '../policies/policy-store.ts';
import { liveSecrets, secretSchemesOf } from '../secrets/signing-secrets.ts';
import type { ConfigStores } from '../stores/stores.ts';
import type { VerificationCodes } from '../endpoints/verification-codes.ts';
import { refuseIfAny } from '../violations.ts';

/**
 * DirectoryService: what the other services need to do their work, secrets in the clear. A view comes in pages that are
 * bounded in items and in bytes, first the event types, then the policies, then the endpoints. It isn't a snapshot: whatever changes
 * between two pages is in the next ListChanges.
 */
export interface DirectoryDependencies {
  readonly stores: ConfigStores;
  readonly vault: EndpointVault;
  readonly policyVault: PolicyVault;
  readonly codes: VerificationCodes;
  readonly clock: Clock;
}

const maxItems = 500;
const maxPending = 1000;

/** Where the next page goes on: behind an event type, or behind a policy or an endpoint by its number (null: at the newest). */
type Position =
  | { readonly part: 'types'; readonly after: EventTypePosition | null }
  | { readonly part: 'policies' | 'endpoints'; readonly after: number | null };

const positionCursor: CursorCodec<Position> = {
  write: (position) =>
    position.part === 'types'
      ? `t${position.after?.createdAt.getTime() ?? ''} ${position.after?.name ?? ''}`
      : `${position.part === 'policies' ? 'p' : 'e'}${position.after ?? ''}`,
  read(text) {
    const [, time, name] = /^t(\d{1,15}) (.+)$/.exec(text) ?? [];
    if (time !== undefined && name !== undefined) {
      return { part: 'types', after: { createdAt: new Date(Number(time)), name } };
    }
    const [, part, number] = /^([pe])(\d{0,15})$/.exec(text) ?? [];
    if (number === undefined) return null;
    return { part: part === 'p' ? 'policies' : 'endpoints', after: number === '' ? null : Number(number) };
  },
};

export function createDirectoryService({
  stores: { organisations, eventTypes, policies, endpoints, revisions },
  vault,
  policyVault,
  codes,
  clock,
}: DirectoryDependencies): ServiceRegistration<typeof configV1.DirectoryServiceService> {
  const typesOf = (organisationId: string): PageSource<EventType, EventTypePosition> => ({
    load: (limit, after) => eventTypes.list({ organisationId, limit, after }),
    positionOf: ({ createdAt, name }) => ({ createdAt, name }),
  });

  const policiesOf = (organisationId: string): PageSource<StoredPolicy, number> => ({
    load: (limit, beforeNumber) => policies.list({ organisationId, limit, beforeNumber }),
    positionOf: ({ policy }) => policy.number,
  });

  const endpointsOf = (organisationId: string): PageSource<StoredEndpoint, number> => ({
    load: (limit, beforeNumber) =>
      endpoints.list({ organisationId, limit, beforeNumber, state: null, dialect: null }),
    positionOf: ({ endpoint }) => endpoint.number,
  });

  function toSigningEndpoint(stored: StoredEndpoint, now: Date): configV1.SigningEndpoint {
    const { headers, secrets } = vault.open(stored);
    const { endpoint } = stored;
    return signingEndpointToMessage({
      endpoint: { ...endpoint, headers },
      secrets: liveSecrets(secrets, secretSchemesOf(endpoint), now),
      verificationCallbackPath: callbackPathOf(endpoint, codes, now.getTime()),
    });
  }

  return defineService(configV1.DirectoryServiceService, {
    async listChanges({ sinceRevision }, { principal }) {
      requireService(principal);
      const { revision, organisationIds, reset } = await revisions.changesSince(Number(sinceRevision));
      return { revision: BigInt(revision), organisationIds: [...organisationIds], reset };
    },

    async listPendingVerifications({ limit }, { principal }) {
      requireService(principal);
      const isFine = limit >= 1 && limit <= maxPending;
      const message = `This must be from 1 to ${maxPending}.`;
      refuseIfAny(isFine ? [] : [{ field: '/limit', code: 'out_of_range', message }]);
      const pending = await endpoints.pendingVerifications(new Date(clock.now()), limit);
      return { verifications: pending.map(({ endpoint }) => toPendingVerification(endpoint)) };
    },

    async getOrganisationView({ organisationId, cursor, omitEndpoints }, { principal }) {
      requireService(principal);
      const organisation = await organisations.find(organisationId);
      if (organisation?.id !== organisationId) throw noSuchOrganisation();
      const start = startOf(cursor);
      const budget = createPageBudget(maxItems);

      const types =
        start.part === 'types'
          ? await fillPage(typesOf(organisationId), start.after, budget)
          : { items: [], next: null };
      const answer: configV1.GetOrganisationViewResponse = {
        organisation: organisationToMessage(organisation),
        eventTypes: types.items.map(eventTypeToMessage),
        policies: [],
        endpoints: [],
        nextCursor: '',
      };
      if (types.next !== null) {
        return { ...answer, nextCursor: writeCursor({ part: 'types', ...types.next }, positionCursor) };
      }
      if (omitEndpoints) return answer;

      const signing =
        start.part === 'endpoints'
          ? { items: [], next: null }
          : await fillPage(
              policiesOf(organisationId),
              start.part === 'policies' ? start.after : null,
              budget,
            );
      answer.policies = signing.items.map((stored) =>
        signingPolicyToMessage({ policy: stored.policy, key: policyVault.open(stored) }),
      );
      if (signing.next !== null) {
        return { ...answer, nextCursor: writeCursor({ part: 'policies', ...signing.next }, positionCursor) };
      }

      const after = start.part === 'endpoints' ? start.after : null;
      const { items, next } = await fillPage(endpointsOf(organisationId), after, budget);
      const now = new Date(clock.now());
      return {
        ...answer,
        endpoints: items.map((stored) => toSigningEndpoint(stored, now)),
        nextCursor: next === null ? '' : writeCursor({ part: 'endpoints', ...next }, positionCursor),
      };
    },
  });
}

function toPendingVerification(endpoint: Endpoint): configV1.PendingVerification {
  return {
    organisationId: endpoint.organisationId,
    endpointId: endpoint.id,
    verificationId: endpoint.verificationId ?? '',
    dialect: dialectTable.toMessage(endpoint.dialect),
    expiresAt: endpoint.verificationExpiresAt ?? undefined,
  };
}

function startOf(cursor: string): Position {
  if (cursor === '') return { part: 'types', after: null };
  const position = readCursor(cursor, positionCursor);
  if (position !== null) return position;
  throw DomainError.invalid([
    {
      field: '/cursor',
      code: 'invalid_cursor',
      message: 'This must be the next_cursor of an earlier answer.',
    },
  ]);
}
