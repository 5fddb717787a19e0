import { auditStoreContract } from './audit-store.contract.ts';
import { openTemporaryStores, type TemporaryStores } from '../stores/temporary-stores.harness.ts';

describe('the SQLite audit store', () => {
  let temporary: TemporaryStores;

  beforeEach(async () => {
    temporary = await openTemporaryStores();
  });
  afterEach(() => temporary.close());

  auditStoreContract(() => temporary.stores);
});
