/**
 * Endpoints as the dialects name them: by id alone, since operators needn't say whose they are. One of another organisation or of another
 * dialect is as unknown as one that was never made.
 */
import { configV1, dialectTable, endpointFromMessage } from '@posthorn/contracts';
import { DomainError, isId, type Endpoint } from '@posthorn/models';
import type { GatewayClients } from '../clients.ts';
import type { DialectCall } from './dialect.ts';
import type { DialectName } from './prefixes.ts';

/** An endpoint with the secret that signs now; null where it has none. */
export interface FoundEndpoint {
  readonly endpoint: Endpoint;
  readonly secret: string | null;
}

/** Rejects with `not_found`. */
export async function findEndpoint(
  clients: Pick<GatewayClients, 'endpoints'>,
  dialect: DialectName,
  id: string,
  call: Pick<DialectCall, 'organisationId' | 'rpc'>,
): Promise<FoundEndpoint> {
  return foundEndpoint(await findEndpointMessage(clients, dialect, id, call));
}

/** The same as config answers it. */
export async function findEndpointMessage(
  { endpoints }: Pick<GatewayClients, 'endpoints'>,
  dialect: DialectName,
  id: string,
  call: Pick<DialectCall, 'organisationId' | 'rpc'>,
): Promise<configV1.FoundEndpoint> {
  if (!isId(id)) throw unknown();
  const request = configV1.SearchEndpointsRequest.fromPartial({
    organisationIds: organisationIdsOf(call),
    dialect: dialectTable.toMessage(dialect),
    ids: [id],
    limit: 1,
    includeSecrets: true,
  });
  const [found] = (await endpoints.searchEndpoints(request, call.rpc)).endpoints;
  if (found === undefined) throw unknown();
  return found;
}

/** What an answer of config says of one endpoint; `not_found` where it says nothing. */
export function foundEndpoint(message: Partial<configV1.FoundEndpoint> | undefined): FoundEndpoint {
  if (message?.endpoint === undefined) throw unknown();
  // All that sign now are listed, newest first.
  return { endpoint: endpointFromMessage(message.endpoint), secret: message.secrets?.[0]?.secret ?? null };
}

/** Whose things a call is about: none named means all of them, which only operators may ask for. */
export function organisationIdsOf({ organisationId }: Pick<DialectCall, 'organisationId'>): string[] {
  return organisationId === null ? [] : [organisationId];
}

function unknown(): DomainError {
  return new DomainError('not_found', 'There is no such endpoint.');
}
