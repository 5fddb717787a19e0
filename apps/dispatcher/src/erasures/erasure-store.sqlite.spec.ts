import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSqliteEventLog, eventLogMigrations } from '@posthorn/event-log';
import { openSqlite } from '@posthorn/sqlite';
import { createSqliteDeadRecordStore } from '../intake/dead-record-store.sqlite.ts';
import { dispatcherMigrations } from '../deliveries/delivery-rows.sqlite.ts';
import { createSqliteDeliveryStore } from '../deliveries/delivery-store.sqlite.ts';
import { eventToErase } from './eraser.ts';
import { describeErasureStore } from './erasure-store.contract.ts';
import { createSqliteErasureStore, erasureMigrations } from './erasure-store.sqlite.ts';
import { createSqliteEventStore } from '../events/event-store.sqlite.ts';
import { sampleAttempt, sampleDelivery, sampleEvent, sampleTime } from '../deliveries/sample-deliveries.ts';

function open() {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-erasures-'));
  const database = openSqlite({
    path: join(directory, 'posthorn.db'),
    migrations: [eventLogMigrations, dispatcherMigrations, erasureMigrations],
  });
  const log = createSqliteEventLog(database);
  return {
    directory,
    erasures: createSqliteErasureStore(database),
    deliveries: createSqliteDeliveryStore(database),
    events: createSqliteEventStore(database),
    deadRecords: createSqliteDeadRecordStore(database),
    recordEvent: log.append,
    async close() {
      await database.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

describeErasureStore('SQLite', () => Promise.resolve(open()));

it('leaves no byte of what was erased in the files of SQLite, small payloads and large ones', async () => {
  const { directory, erasures, deliveries, recordEvent, close } = open();
  const marker = 'only-this-payload-has-it';
  const isInFiles = (): boolean =>
    readdirSync(directory).some((name) => readFileSync(join(directory, name)).includes(marker));
  const payloadOf = (number: number): Buffer =>
    Buffer.from(JSON.stringify({ marker, filling: 'x'.repeat(number % 2 === 0 ? 20_000 : 20) }));
  const marked = Array.from({ length: 40 }, (_, number) =>
    sampleEvent(number, { payload: payloadOf(number), labels: { marker }, subject: marker }),
  );
  for (const event of marked) {
    const delivery = sampleDelivery(event, 'endpoint', { state: 'succeeded', attempts: 1 });
    const response = { headers: { 'x-marker': marker }, body: marker, truncated: false };
    const attempt = sampleAttempt(delivery, 1, { response });
    await recordEvent(event);
    // Between them, what stays: its pages must not keep what moved.
    await recordEvent(sampleEvent(1000 + (event.acceptedAt.getTime() % 1000), { id: `kept ${event.id}` }));
    await deliveries.record(
      [{ kind: 'insert', delivery, partition: 0, epoch: 1, order: null, claim: null, attempt }],
      [],
    );
  }
  await erasures.purgeFiles();
  expect(isInFiles()).toBe(true);
  const events = marked.map(eventToErase);
  expect(await erasures.erase({ organisationId: 'org', events, now: sampleTime(900) })).toMatchObject({
    events: 40,
    responses: 40,
  });
  await erasures.purgeFiles();
  expect(isInFiles()).toBe(false);
  await close();
});
