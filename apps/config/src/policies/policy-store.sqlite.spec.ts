import { policyStoreContract } from './policy-store.contract.ts';
import { openTemporaryStores, type TemporaryStores } from '../stores/temporary-stores.harness.ts';

describe('the SQLite policy store', () => {
  let temporary: TemporaryStores;

  beforeEach(async () => {
    temporary = await openTemporaryStores();
  });
  afterEach(() => temporary.close());

  policyStoreContract(() => temporary.stores);
});
