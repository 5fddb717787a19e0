import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite } from '@posthorn/sqlite';
import { describeEventLog, RecordingConsumer, sampleEvent, type LogUnderTest } from './event-log.contract.ts';
import { createSqliteEventLog, eventLogMigrations, type SqliteEventLog } from './sqlite-event-log.ts';

interface SqliteLogUnderTest extends LogUnderTest {
  readonly log: SqliteEventLog;
}

function openIn(directory: string): SqliteLogUnderTest {
  const database = openSqlite({ path: join(directory, 'log.db'), migrations: [eventLogMigrations] });
  return {
    log: createSqliteEventLog(database),
    async restart() {
      await database.close();
      return openIn(directory);
    },
    async close() {
      await database.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const open = (): Promise<SqliteLogUnderTest> =>
  Promise.resolve(openIn(mkdtempSync(join(tmpdir(), 'posthorn-log-'))));

describeEventLog('the embedded log', open);

describe('the embedded log', () => {
  it('accepts an event once: the same organisation and id again is a duplicate, another organisation is not', async () => {
    const subject = await open();
    const consumer = new RecordingConsumer();
    await subject.log.start(consumer);
    const results = await Promise.all([
      subject.log.append(sampleEvent(1)),
      subject.log.append(sampleEvent(1, { type: 'other' })),
      subject.log.append(sampleEvent(1, { organisationId: 'another' })),
    ]);
    expect(results.map(({ duplicate }) => duplicate)).toEqual([false, true, false]);
    await consumer.until(2);
    expect(consumer.events.map(({ type }) => type)).toEqual(['order.paid', 'order.paid']);
    await subject.close();
  });

  it('never gives a position out twice, also when the newest events are gone', async () => {
    const subject = await open();
    const consumer = new RecordingConsumer();
    consumer.next.set(0, 50);
    await subject.log.start(consumer);
    await subject.log.append(sampleEvent(1));
    await consumer.until(1);
    expect(consumer.batches[0]?.events[0]?.position).toBe(50);
    await subject.close();
  });

  it('keeps what is appended unread from the reader, now and after a restart', async () => {
    let subject = await open();
    let consumer = new RecordingConsumer();
    await subject.log.start(consumer);
    await subject.log.appendUnread(sampleEvent(1));
    await subject.log.append(sampleEvent(2));
    await consumer.until(1);
    subject = (await subject.restart()) as SqliteLogUnderTest;
    consumer = new RecordingConsumer();
    await subject.log.start(consumer);
    await consumer.until(1);
    expect(consumer.events.map(({ id }) => id)).toEqual([sampleEvent(2).id]);
    await subject.close();
  });
});
