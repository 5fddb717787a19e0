import {
  configV1,
  eventTypeToMessage,
  organisationToMessage,
  signingEndpointToMessage,
} from '@posthorn/contracts';
import { DomainError, type EventType } from '@posthorn/models';
import { defineService, type ServiceRegistration } from '@posthorn/rpc';
import type { Clock } from '@posthorn/runtime';
import { noSuchOrganisation, requireService } from './authority.ts';
import type { EndpointVault } from './endpoint-secrets.ts';
import type { StoredEndpoint } from './endpoint-store.ts';
import { readCursor, writeCursor, type CursorCodec } from './page.ts';
import { liveSecrets } from './signing-secrets.ts';
import type { ConfigStores } from './stores.ts';

/**
 * DirectoryService: what the other services need to do their work, secrets in the clear. A view comes in pages that are
 * bounded in items and in bytes, first the event types, then the endpoints. It isn't a snapshot: whatever changes
 * between two pages is in the next ListChanges.
 */
export interface DirectoryDependencies {
  readonly stores: ConfigStores;
  readonly vault: EndpointVault;
  readonly clock: Clock;
}

const maxItems = 500;
const maxBytes = 1024 * 1024;
/** How many rows are asked for at a time. */
const stepSize = 100;

/** Where the next page goes on: behind an event type, or behind an endpoint (null: at the newest). */
type Position =
  | { readonly part: 'types'; readonly after: Pick<EventType, 'createdAt' | 'name'> | null }
  | { readonly part: 'endpoints'; readonly beforeNumber: number | null };

const positionCursor: CursorCodec<Position> = {
  write: (position) =>
    position.part === 'types'
      ? `t${position.after?.createdAt.getTime() ?? ''} ${position.after?.name ?? ''}`
      : `e${position.beforeNumber ?? ''}`,
  read(text) {
    const [, time, name] = /^t(\d{1,15}) (.+)$/.exec(text) ?? [];
    if (time !== undefined && name !== undefined) {
      return { part: 'types', after: { createdAt: new Date(Number(time)), name } };
    }
    const [, number] = /^e(\d{0,15})$/.exec(text) ?? [];
    if (number === undefined) return null;
    return { part: 'endpoints', beforeNumber: number === '' ? null : Number(number) };
  },
};

export function createDirectoryService({
  stores: { organisations, eventTypes, endpoints, revisions },
  vault,
  clock,
}: DirectoryDependencies): ServiceRegistration<typeof configV1.DirectoryServiceService> {
  function toSigningEndpoint(stored: StoredEndpoint, now: Date): configV1.SigningEndpoint {
    const { headers, secrets } = vault.open(stored);
    const { endpoint } = stored;
    return signingEndpointToMessage({
      endpoint: { ...endpoint, headers },
      secrets: liveSecrets(secrets, endpoint.signing, now),
    });
  }

  return defineService(configV1.DirectoryServiceService, {
    async listChanges({ sinceRevision }, { principal }) {
      requireService(principal);
      const { revision, organisationIds, reset } = await revisions.changesSince(Number(sinceRevision));
      return { revision: BigInt(revision), organisationIds: [...organisationIds], reset };
    },

    async getOrganisationView({ organisationId, cursor, omitEndpoints }, { principal }) {
      requireService(principal);
      const organisation = await organisations.find(organisationId);
      if (organisation?.id !== organisationId) throw noSuchOrganisation();
      let position = startOf(cursor);
      const budget = createBudget();
      const answer: configV1.GetOrganisationViewResponse = {
        organisation: organisationToMessage(organisation),
        eventTypes: [],
        endpoints: [],
        nextCursor: '',
      };

      while (position.part === 'types') {
        const found = await eventTypes.list({ organisationId, limit: stepSize, after: position.after });
        for (const eventType of found) {
          if (!budget.take(JSON.stringify(eventType).length)) {
            return { ...answer, nextCursor: writeCursor(position, positionCursor) };
          }
          answer.eventTypes.push(eventTypeToMessage(eventType));
          position = { part: 'types', after: eventType };
        }
        if (found.length < stepSize) position = { part: 'endpoints', beforeNumber: null };
      }
      if (omitEndpoints) return answer;

      const now = new Date(clock.now());
      for (;;) {
        const { beforeNumber }: { beforeNumber: number | null } = position;
        const found = await endpoints.list({ organisationId, limit: stepSize, beforeNumber, state: null });
        for (const stored of found) {
          if (!budget.take(JSON.stringify(stored).length)) {
            return { ...answer, nextCursor: writeCursor(position, positionCursor) };
          }
          answer.endpoints.push(toSigningEndpoint(stored, now));
          position = { part: 'endpoints', beforeNumber: stored.endpoint.number };
        }
        if (found.length < stepSize) return answer;
      }
    },
  });
}

function startOf(cursor: string): Position {
  if (cursor === '') return { part: 'types', after: null };
  const position = readCursor(cursor, positionCursor);
  if (position !== null) return position;
  throw DomainError.invalid([
    { field: '/cursor', code: 'invalid_cursor', message: 'must be the next_cursor of an earlier answer' },
  ]);
}

/** Lets items into a page until it is full; the first one always fits. */
function createBudget(): { take(bytes: number): boolean } {
  let items = 0;
  let used = 0;
  return {
    take(bytes) {
      if (items > 0 && (items >= maxItems || used + bytes > maxBytes)) return false;
      items += 1;
      used += bytes;
      return true;
    },
  };
}
