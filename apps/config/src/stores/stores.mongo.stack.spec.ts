import { DomainError } from '@posthorn/models';
import { FakeClock } from '@posthorn/testing';
import type { EndpointSearch } from '../endpoints/endpoint-store.ts';
import type { AuditSearch } from '../audit/audit-store.ts';
import { auditStoreContract } from '../audit/audit-store.contract.ts';
import { endpointStoreContract } from '../endpoints/endpoint-store.contract.ts';
import { eventTypeStoreContract } from '../event-types/event-type-store.contract.ts';
import { idempotencyStoreContract } from '../idempotency/idempotency-store.contract.ts';
import { keyStoreContract } from '../keys/key-store.contract.ts';
import { openMongoStores, type TemporaryMongoStores } from './mongo-stores.harness.ts';
import { organisationStoreContract } from '../organisations/organisation-store.contract.ts';
import { policyStoreContract } from '../policies/policy-store.contract.ts';
import { sealedStoreContract } from '../secrets/sealed-store.contract.ts';
import { createMongoRevisionStore } from '../directory/revision-store.mongo.ts';
import { contractMaxChanges, revisionStoreContract } from '../directory/revision-store.contract.ts';
import {
  sampleEndpoint,
  sampleEventType,
  sampleId,
  sampleKey,
  sampleOrganisation,
  samplePolicy,
} from './sample-resources.harness.ts';
import type { ConfigStores } from './stores.ts';

let temporary: TemporaryMongoStores;
afterEach(() => temporary.close());

const contracts: Readonly<Record<string, (stores: () => ConfigStores) => void>> = {
  organisation: organisationStoreContract,
  key: keyStoreContract,
  'event type': eventTypeStoreContract,
  endpoint: endpointStoreContract,
  policy: policyStoreContract,
  idempotency: idempotencyStoreContract,
  sealed: sealedStoreContract,
  audit: auditStoreContract,
};

describe.each(Object.entries(contracts))('the MongoDB %s store', (_, contract) => {
  beforeEach(async () => {
    temporary = await openMongoStores();
  });
  contract(() => temporary.stores);
});

describe('the MongoDB revision store', () => {
  beforeEach(async () => {
    temporary = await openMongoStores(contractMaxChanges);
  });
  revisionStoreContract(() => temporary.stores);
});

describe("the config service's stores on MongoDB", () => {
  beforeEach(async () => {
    temporary = await openMongoStores();
  });

  const organisationId = sampleId(1);
  const page = { organisationId, limit: 10, beforeNumber: null };
  const search: EndpointSearch = {
    organisationIds: null,
    ids: null,
    dialect: 'preo',
    states: null,
    verifications: null,
    editionId: null,
    createdAfter: null,
    createdBefore: null,
    orderBy: 'created',
    descending: true,
    offset: 0,
    limit: 10,
    beside: null,
  };
  const anything: AuditSearch = {
    organisationId: null,
    actorId: null,
    action: null,
    resourceId: null,
    result: null,
    after: null,
    before: null,
    beforeId: null,
    limit: 10,
  };
  const owner = { organisationId };
  const typePage = { organisationId, limit: 10, after: { createdAt: new Date(0), name: 'a' } };

  const steps: readonly (readonly [string, (stores: ConfigStores) => Promise<unknown>, readonly string[]])[] =
    [
      ['the revision', ({ revisions }) => revisions.changesSince(0), ['revisions._id_']],
      [
        'an organisation by its slug',
        ({ organisations }) => organisations.find('none'),
        ['organisations._id_', 'organisations.by_slug'],
      ],
      [
        'a list of organisations',
        ({ organisations }) => organisations.list({ limit: 10, beforeId: sampleId(9) }),
        ['organisations._id_'],
      ],
      ['a key by its token', ({ keys }) => keys.findByToken(new Uint8Array(32)), ['keys.by_token']],
      [
        'the keys of an organisation',
        ({ keys }) => keys.list({ owner, limit: 10, beforeId: sampleId(9) }),
        ['keys.by_organisation'],
      ],
      ['all keys', ({ keys }) => keys.list({ owner: 'any', limit: 10, beforeId: null }), ['keys._id_']],
      [
        'the event types of an organisation',
        ({ eventTypes }) => eventTypes.list(typePage),
        ['event_types.by_age'],
      ],
      [
        'an endpoint by its uid',
        ({ endpoints }) => endpoints.find(organisationId, 'mine'),
        ['endpoints._id_', 'endpoints.by_uid'],
      ],
      [
        'the endpoints of an organisation',
        ({ endpoints }) => endpoints.list({ ...page, state: 'enabled', dialect: null }),
        ['endpoints.by_organisation'],
      ],
      [
        'endpoints of a dialect',
        ({ endpoints }) => endpoints.search(search),
        ['endpoints.by_dialect_anywhere'],
      ],
      [
        'endpoints that name operational events',
        ({ endpoints }) => endpoints.namesAny(organisationId, ['posthorn.*', 'posthorn.endpoint.*']),
        ['endpoints.operational'],
      ],
      [
        'verifications that are open',
        ({ endpoints }) => endpoints.pendingVerifications(new Date(), 10),
        ['endpoints.unverified'],
      ],
      [
        'the policies of an organisation',
        ({ policies }) => policies.list(page),
        ['policies.by_organisation'],
      ],
      [
        'what is sealed, by number',
        ({ sealed }) => sealed.countByKey(),
        ['endpoints.by_number', 'policies.by_number'],
      ],
      [
        'what was done to a resource',
        ({ audit }) => audit.list({ ...anything, organisationId, resourceId: 'e1' }),
        ['audit.by_resourceId'],
      ],
      [
        'what was done in an organisation',
        ({ audit }) => audit.list({ ...anything, organisationId }),
        ['audit.by_organisationId'],
      ],
      ['all that was done', ({ audit }) => audit.list(anything), ['audit._id_']],
      ['what was done long ago', ({ audit }) => audit.sweep(new Date(), 10), ['audit._id_']],
      ['a policy by its name', ({ policies }) => policies.findByName('policy-1'), ['policies.by_name']],
    ];

  it.each(steps)('find %s by an index', async (_, run, expected) => {
    const { stores, database } = temporary;
    await stores.organisations.insert(sampleOrganisation(1));
    await stores.keys.insert(sampleKey(1), 10);
    await stores.eventTypes.put(sampleEventType('a'), 10);
    await stores.endpoints.insert(sampleEndpoint(1), 10);
    await stores.policies.insert(samplePolicy(1), 10);
    const plans = await database.explain(() => run(stores));
    expect(plans.filter((plan) => plan.isUnindexed || plan.indexes.length === 0)).toEqual([]);
    const used = plans.flatMap(({ collection, indexes }) => indexes.map((index) => `${collection}.${index}`));
    expect(used.map((name) => name.replace('config_', ''))).toEqual(expect.arrayContaining([...expected]));
  });

  it('announces a write whose writer was killed before it could, once, after half a minute', async () => {
    const clock = new FakeClock();
    const { database } = temporary;
    const store = await createMongoRevisionStore(database, 10, clock);
    const killed = store.announce(organisationId, () => Promise.reject(new Error('killed')));
    await expect(killed).rejects.toThrow('killed');
    const refused = new DomainError('already_exists', 'The name is taken.');
    await expect(store.announce('other', () => Promise.reject(refused))).rejects.toBe(refused);
    expect(await store.changesSince(0)).toMatchObject({ revision: 0 });
    clock.advance(29_999);
    await store.changesSince(0);
    expect(await store.changesSince(0)).toMatchObject({ revision: 0 });
    clock.advance(1);
    await store.changesSince(0);
    const announced = { revision: 1, organisationIds: [organisationId], reset: false };
    expect(await store.changesSince(0)).toEqual(announced);
    clock.advance(60_000);
    await store.changesSince(0);
    expect(await store.changesSince(0)).toEqual(announced);
  });

  it('gives the last places of an organisation to as many as there are, of many who come at once', async () => {
    const { endpoints } = temporary.stores;
    const inserts = Array.from({ length: 12 }, (_, index) => endpoints.insert(sampleEndpoint(index + 1), 5));
    const results = await Promise.allSettled(inserts);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    const [one] = await endpoints.list({ ...page, state: null, dialect: null });
    if (one !== undefined) await endpoints.delete(one);
    await endpoints.insert(sampleEndpoint(20), 5);
    await expect(endpoints.insert(sampleEndpoint(21), 5)).rejects.toMatchObject({
      code: 'failed_precondition',
    });
  });
});
