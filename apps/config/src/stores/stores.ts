import type { AuditStore } from '../audit/audit-store.ts';
import type { EndpointStore } from '../endpoints/endpoint-store.ts';
import type { EventTypeStore } from '../event-types/event-type-store.ts';
import type { IdempotencyStore } from '../idempotency/idempotency-store.ts';
import type { KeyStore } from '../keys/key-store.ts';
import type { OrganisationStore } from '../organisations/organisation-store.ts';
import type { PolicyStore } from '../policies/policy-store.ts';
import type { RevisionStore } from '../directory/revision-store.ts';
import type { SealedStore } from '../secrets/sealed-store.ts';

/** All that the config service keeps. The stores of one deployment belong together: they share the revision. */
export interface ConfigStores {
  readonly organisations: OrganisationStore;
  readonly keys: KeyStore;
  readonly eventTypes: EventTypeStore;
  readonly endpoints: EndpointStore;
  readonly policies: PolicyStore;
  readonly revisions: RevisionStore;
  readonly idempotency: IdempotencyStore;
  readonly sealed: SealedStore;
  readonly audit: AuditStore;
}
