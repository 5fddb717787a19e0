import type { MongoDatabase } from '@posthorn/mongo';
import {
  announceEndpoints,
  announceEventTypes,
  announceOrganisations,
  announcePolicies,
} from './announced-stores.mongo.ts';
import { createMongoAuditStore } from '../audit/audit-store.mongo.ts';
import { createMongoCounter } from './counters.mongo.ts';
import { createMongoEndpointStore } from '../endpoints/endpoint-store.mongo.ts';
import { createMongoEventTypeStore } from '../event-types/event-type-store.mongo.ts';
import { createMongoIdempotencyStore } from '../idempotency/idempotency-store.mongo.ts';
import { createMongoKeyStore } from '../keys/key-store.mongo.ts';
import { createMongoOrganisationStore } from '../organisations/organisation-store.mongo.ts';
import { createMongoPolicyStore } from '../policies/policy-store.mongo.ts';
import { createMongoRevisionStore } from '../directory/revision-store.mongo.ts';
import { createMongoSealedStore } from '../secrets/sealed-store.mongo.ts';
import type { ConfigStores } from './stores.ts';

/**
 * The stores on a database of MongoDB, whose indexes are made first. Any number of replicas of the service may share it.
 *
 * @param maxChanges how many changes are remembered before a reader has to start over
 */
export async function createMongoConfigStores(
  database: MongoDatabase,
  maxChanges?: number,
): Promise<ConfigStores> {
  const { announce, ...revisions } = await createMongoRevisionStore(database, maxChanges);
  const [organisations, keys, eventTypes, endpoints, policies, idempotency, audit] = await Promise.all([
    createMongoOrganisationStore(database),
    createMongoKeyStore(database),
    createMongoEventTypeStore(database),
    createMongoEndpointStore(database, await createMongoCounter(database, 'endpoints')),
    createMongoPolicyStore(database, await createMongoCounter(database, 'policies')),
    createMongoIdempotencyStore(database),
    createMongoAuditStore(database),
  ]);
  return {
    organisations: announceOrganisations(organisations, announce),
    keys,
    eventTypes: announceEventTypes(eventTypes, announce),
    endpoints: announceEndpoints(endpoints, announce),
    policies: announcePolicies(policies, announce),
    revisions,
    idempotency,
    sealed: await createMongoSealedStore(database),
    audit,
  };
}
