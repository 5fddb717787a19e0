import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSqliteEventLog, eventLogMigrations } from '@posthorn/event-log';
import { openSqlite } from '@posthorn/sqlite';
import { describeDeliveryStore } from './delivery-store.contract.ts';
import { createSqliteDeliveryStore } from './delivery-store.sqlite.ts';
import { dispatcherMigrations, isHeld, isVerification } from './delivery-rows.sqlite.ts';
import { createSqliteDeadRecordStore } from '../intake/dead-record-store.sqlite.ts';
import { describeDeadRecordStore } from '../intake/dead-record-store.contract.ts';
import { describeEventStore } from '../events/event-store.contract.ts';
import type { StoresUnderTest } from './stores-under-test.harness.ts';
import { createSqliteEventStore } from '../events/event-store.sqlite.ts';
import { describeLeaseStore } from '../ownership/lease-store.contract.ts';
import { createSqliteLeaseStore } from '../ownership/lease-store.sqlite.ts';

function openDatabase() {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-deliveries-'));
  const database = openSqlite({
    path: join(directory, 'posthorn.db'),
    migrations: [eventLogMigrations, dispatcherMigrations],
  });
  return {
    database,
    async close() {
      await database.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function openStores(): Promise<StoresUnderTest> {
  const { database, close } = openDatabase();
  const log = createSqliteEventLog(database);
  return Promise.resolve({
    deliveries: createSqliteDeliveryStore(database),
    events: createSqliteEventStore(database),
    recordEvent: (event) => log.append(event),
    close,
  });
}

describeDeliveryStore('SQLite', openStores);
describeEventStore('SQLite', openStores);

describeLeaseStore('SQLite', () => {
  const { database, close } = openDatabase();
  const deliveries = createSqliteDeliveryStore(database);
  return Promise.resolve({
    leases: createSqliteLeaseStore(database),
    writeNext: (next) => deliveries.record([], [next]),
    close,
  });
});

describeDeadRecordStore('SQLite', () => {
  const { database, close } = openDatabase();
  return Promise.resolve({ dead: createSqliteDeadRecordStore(database), close });
});

describe('the embedded database', () => {
  it.each([
    ['SELECT key FROM events WHERE organisation_id = ? AND key < ? ORDER BY key DESC', 'events_by_key'],
    ['SELECT id FROM events WHERE organisation_id = ? AND id < ? ORDER BY id DESC', 'events_by_id'],
    [
      'SELECT id FROM deliveries WHERE organisation_id = ? AND endpoint_id = ? AND id < ? ORDER BY id DESC',
      'deliveries_by_endpoint',
    ],
    [
      'SELECT position FROM attempts WHERE organisation_id = ? AND endpoint_id = ? AND position < ? ORDER BY position DESC',
      'attempts_by_endpoint',
    ],
    [
      `SELECT * FROM deliveries WHERE partition = ? AND endpoint_id = ? AND next_attempt_at IS NOT NULL
       AND next_attempt_at <= ? ORDER BY next_attempt_at`,
      'deliveries_waiting',
    ],
    ['SELECT id FROM deliveries WHERE partition = ? AND claim IS NOT NULL', 'deliveries_claimed'],
    [
      `SELECT id FROM deliveries WHERE organisation_id = ? AND id < ? AND ${isHeld} ORDER BY id LIMIT ?`,
      'deliveries_held',
    ],
    [
      `SELECT * FROM deliveries WHERE partition = ? AND endpoint_id = ? AND next_attempt_at IS NOT NULL
       AND ${isVerification} AND next_attempt_at <= ? ORDER BY next_attempt_at`,
      'deliveries_verifying',
    ],
    [
      `SELECT id FROM deliveries WHERE partition = ? AND endpoint_id = ? AND order_key = ? ORDER BY position LIMIT 1`,
      'deliveries_in_order',
    ],
    [
      `SELECT endpoint_id FROM deliveries WHERE partition = ? AND order_key IS NOT NULL
       AND (endpoint_id, order_key) > (?, ?) ORDER BY endpoint_id, order_key, position LIMIT 1`,
      'deliveries_in_order',
    ],
  ])('answers %s from an index, without sorting', async (sql, index) => {
    const { database, close } = openDatabase();
    const plan = database
      .prepare<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
      .all(...Array.from(sql.matchAll(/\?/g), () => 1))
      .map(({ detail }) => detail)
      .join('; ');
    expect(plan).toContain(index);
    expect(plan).not.toContain('TEMP B-TREE');
    await close();
  });
});
