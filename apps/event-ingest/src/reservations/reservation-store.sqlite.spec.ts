import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite } from '@posthorn/sqlite';
import { reservationStoreContract } from './reservation-store.contract.ts';
import { createSqliteReservationStore, reservationMigrations } from './reservation-store.sqlite.ts';

describe('the SQLite reservation store', () => {
  reservationStoreContract(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'posthorn-reservations-'));
    const database = openSqlite({
      path: join(directory, 'posthorn.db'),
      migrations: [reservationMigrations],
    });
    return {
      store: createSqliteReservationStore(database),
      async close() {
        await database.close();
        await rm(directory, { recursive: true });
      },
    };
  });
});
