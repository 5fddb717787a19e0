import { sealedStoreContract } from './sealed-store.contract.ts';
import { openTemporaryStores, type TemporaryStores } from '../stores/temporary-stores.harness.ts';

describe('the SQLite store of what is sealed', () => {
  let temporary: TemporaryStores;

  beforeEach(async () => {
    temporary = await openTemporaryStores();
  });
  afterEach(() => temporary.close());

  sealedStoreContract(() => temporary.stores);
});
