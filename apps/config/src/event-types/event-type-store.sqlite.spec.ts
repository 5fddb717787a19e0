import { eventTypeStoreContract } from './event-type-store.contract.ts';
import { openTemporaryStores, type TemporaryStores } from '../stores/temporary-stores.harness.ts';

describe('the SQLite event type store', () => {
  let temporary: TemporaryStores;

  beforeEach(async () => {
    temporary = await openTemporaryStores();
  });
  afterEach(() => temporary.close());

  eventTypeStoreContract(() => temporary.stores);
});
