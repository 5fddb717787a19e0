import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventLogMigrations } from '@posthorn/event-log';
import { openSqlite } from '@posthorn/sqlite';
import { describeEventClaims } from './event-claims.contract.ts';
import { dispatcherMigrations } from '../deliveries/delivery-rows.sqlite.ts';
import { claimingEvents } from '../simulation/simulated-cluster.harness.ts';

// The embedded log claims by appending; this is what the simulation of a cluster stands on.
describeEventClaims('the store of the simulated cluster', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-claims-'));
  const database = openSqlite({
    path: join(directory, 'posthorn.db'),
    migrations: [eventLogMigrations, dispatcherMigrations],
  });
  return Promise.resolve({
    events: claimingEvents(database),
    async close() {
      await database.close();
      rmSync(directory, { recursive: true, force: true });
    },
  });
});
