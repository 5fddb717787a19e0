/** A service to try transports with, and what its tests share: the ingest contract with handlers that each test gives. */
import { ingestV1 } from '@posthorn/contracts';
import { DomainError, type Principal } from '@posthorn/models';
import type { CallOptions } from './calls/call-context.ts';
import type { Client } from './calls/client.ts';
import { defineService, type Handlers, type ServiceRegistration } from './calls/define-service.ts';

type Definition = ingestV1.IngestServiceService;
export type IngestHandlers = Handlers<Definition>;
export type IngestClient = Client<Definition>;
type IngestRegistration = ServiceRegistration<Definition>;

/** A service that was brought up behind a transport. */
export interface OpenedService {
  readonly client: IngestClient;
  readonly metrics: () => Promise<string>;
  /** The lines that were logged so far. */
  readonly logLines: readonly string[];
  readonly close: () => Promise<void>;
}

/** Brings a service up behind a transport. */
export type OpenTransport = (registration: IngestRegistration) => Promise<OpenedService>;

export const principal: Principal = {
  kind: 'key',
  id: 'key-1',
  organisationId: 'organisation-1',
  scopes: ['events:write', 'deliveries:read'],
};

export const options: CallOptions = { principal };

/** A service of which each test says only what it is about. */
export function ingestService(handlers: Partial<IngestHandlers>): IngestRegistration {
  const unexpected = (): Promise<never> => Promise.reject(new Error('not part of this test'));
  return defineService(ingestV1.IngestServiceService, {
    publish: unexpected,
    publishBatch: unexpected,
    publishStream: unexpected,
    ...handlers,
  });
}

export function request(id = 'event-1'): ingestV1.PublishRequest {
  const event = { id, type: 'order.paid', data: Buffer.from('{"n":1.0}') };
  return ingestV1.PublishRequest.fromPartial({ event });
}

/** What a call was rejected with. */
export async function failureOf(call: Promise<unknown>): Promise<DomainError> {
  const outcome = await call.then(
    () => 'a result',
    (error: unknown) => error,
  );
  if (!(outcome instanceof DomainError)) throw new Error('expected a DomainError', { cause: outcome });
  return outcome;
}

/** Resolves when the signal aborts, with its reason. */
export function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)));
}
