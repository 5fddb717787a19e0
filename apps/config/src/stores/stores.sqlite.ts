import type { SqliteDatabase } from '@posthorn/sqlite';
import { createSqliteAuditStore } from '../audit/audit-store.sqlite.ts';
import { createSqliteEndpointStore } from '../endpoints/endpoint-store.sqlite.ts';
import { createSqliteEventTypeStore } from '../event-types/event-type-store.sqlite.ts';
import { createSqliteIdempotencyStore } from '../idempotency/idempotency-store.sqlite.ts';
import { createSqliteKeyStore } from '../keys/key-store.sqlite.ts';
import { createSqliteOrganisationStore } from '../organisations/organisation-store.sqlite.ts';
import { createSqlitePolicyStore } from '../policies/policy-store.sqlite.ts';
import { createSqliteRevisionStore } from '../directory/revision-store.sqlite.ts';
import { createSqliteSealedStore } from '../secrets/sealed-store.sqlite.ts';
import type { ConfigStores } from './stores.ts';

/**
 * The stores on one SQLite file, which has `configMigrations` applied.
 *
 * @param maxChanges how many changes are remembered before a reader has to start over
 */
export function createSqliteConfigStores(database: SqliteDatabase, maxChanges?: number): ConfigStores {
  const revisions = createSqliteRevisionStore(database, maxChanges);
  return {
    organisations: createSqliteOrganisationStore(database, revisions.recordChange),
    keys: createSqliteKeyStore(database),
    eventTypes: createSqliteEventTypeStore(database, revisions.recordChange),
    endpoints: createSqliteEndpointStore(database, revisions.recordChange),
    policies: createSqlitePolicyStore(database, revisions.recordChange),
    revisions,
    idempotency: createSqliteIdempotencyStore(database),
    sealed: createSqliteSealedStore(database),
    audit: createSqliteAuditStore(database),
  };
}
