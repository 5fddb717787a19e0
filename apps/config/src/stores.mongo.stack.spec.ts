import { endpointStoreContract } from './endpoint-store.contract.ts';
import { eventTypeStoreContract } from './event-type-store.contract.ts';
import { idempotencyStoreContract } from './idempotency-store.contract.ts';
import { keyStoreContract } from './key-store.contract.ts';
import { openMongoStores, type TemporaryMongoStores } from './mongo-stores.harness.ts';
import { organisationStoreContract } from './organisation-store.contract.ts';
import { policyStoreContract } from './policy-store.contract.ts';
import { contractMaxChanges, revisionStoreContract } from './revision-store.contract.ts';
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
