import type { AuditStore } from './audit-store.ts';
import type { EndpointStore } from './endpoint-store.ts';
import type { EventTypeStore } from './event-type-store.ts';
import type { IdempotencyStore } from './idempotency-store.ts';
import type { KeyStore } from './key-store.ts';
import type { OrganisationStore } from './organisation-store.ts';
import type { PolicyStore } from './policy-store.ts';
import type { RevisionStore } from './revision-store.ts';
import type { SealedStore } from './sealed-store.ts';

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
