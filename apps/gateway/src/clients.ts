import type { configV1, dispatchV1, ingestV1 } from '@posthorn/contracts';
import type { Client } from '@posthorn/rpc';

/**
 * Everything behind the gateway, by service. It owns no data itself: each client is in-process in the standalone and a
 * network client on Kubernetes, and no route can tell.
 */
export interface GatewayClients {
  readonly organisations: Client<typeof configV1.OrganisationServiceService>;
  readonly keys: Client<typeof configV1.KeyServiceService>;
  readonly eventTypes: Client<typeof configV1.EventTypeServiceService>;
  readonly endpoints: Client<typeof configV1.EndpointServiceService>;
  readonly policies: Client<typeof configV1.PolicyServiceService>;
  readonly audit: Client<typeof configV1.AuditServiceService>;
  readonly idempotency: Client<typeof configV1.IdempotencyServiceService>;
  readonly encryption: Client<typeof configV1.EncryptionServiceService>;
  readonly ingest: Client<typeof ingestV1.IngestServiceService>;
  readonly events: Client<typeof dispatchV1.EventServiceService>;
  readonly deliveries: Client<typeof dispatchV1.DeliveryServiceService>;
  readonly activity: Client<typeof dispatchV1.EndpointActivityServiceService>;
  readonly tasks: Client<typeof dispatchV1.TaskServiceService>;
  readonly replays: Client<typeof dispatchV1.ReplayServiceService>;
  readonly erasures: Client<typeof dispatchV1.ErasureServiceService>;
}
