import { endpointStoreContract } from './endpoint-store.contract.ts';
import { openTemporaryStores, type TemporaryStores } from '../stores/temporary-stores.harness.ts';

describe('the SQLite endpoint store', () => {
  let temporary: TemporaryStores;

  beforeEach(async () => {
    temporary = await openTemporaryStores();
  });
  afterEach(() => temporary.close());

  endpointStoreContract(() => temporary.stores);
});
