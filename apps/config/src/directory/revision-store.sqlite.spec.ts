import { contractMaxChanges, revisionStoreContract } from './revision-store.contract.ts';
import { openTemporaryStores, type TemporaryStores } from '../stores/temporary-stores.harness.ts';

describe('the SQLite revision store', () => {
  let temporary: TemporaryStores;

  beforeEach(async () => {
    temporary = await openTemporaryStores(contractMaxChanges);
  });
  afterEach(() => temporary.close());

  revisionStoreContract(() => temporary.stores);
});
