import type { DeadRecord, DeadRecordStore } from './dead-record-store.ts';

/** Far ahead: a database that removes by its own clock what is old leaves it alone. */
const sampleTime = (number: number): Date => new Date(Date.UTC(2126, 0, 1, 0, 0, number));

export interface DeadRecordStoreUnderTest {
  readonly dead: DeadRecordStore;
  close(): Promise<void>;
}

function deadRecord(number: number, over: Partial<DeadRecord> = {}): DeadRecord {
  return {
    id: `undecodable:3:${number}`,
    kind: 'undecodable',
    partition: 3,
    position: number,
    organisationId: null,
    eventId: null,
    deliveryId: null,
    reason: 'It is not an event.',
    bytes: Buffer.from([0, 255, number]),
    recordedAt: sampleTime(number),
    ...over,
  };
}

/** What every adapter of the store of dead records guarantees. */
export function describeDeadRecordStore(name: string, open: () => Promise<DeadRecordStoreUnderTest>): void {
  describe(`${name} keeps the contract of the store of dead records`, () => {
    let subject: DeadRecordStoreUnderTest;
    let dead: DeadRecordStore;
    beforeEach(async () => {
      subject = await open();
      dead = subject.dead;
    });
    afterEach(() => subject.close());

    const listed = async (limit = 10) =>
      (await dead.list(limit)).map((record) => ({ ...record, bytes: Buffer.from(record.bytes) }));

    it('keeps what was put aside byte for byte, newest first', async () => {
      const event = deadRecord(2, {
        id: 'unplannable:3:2',
        kind: 'unplannable',
        organisationId: 'org',
        eventId: 'event',
        deliveryId: 'delivery',
      });
      await dead.add(deadRecord(1));
      await dead.add(event);
      expect(await listed()).toEqual([event, deadRecord(1)]);
      expect(await listed(1)).toEqual([event]);
    });

    it('keeps the same record once', async () => {
      await dead.add(deadRecord(1));
      await dead.add(deadRecord(1, { recordedAt: sampleTime(9), reason: 'Met again.' }));
      expect(await listed()).toEqual([deadRecord(1)]);
    });

    it('keeps each loss once, newest first', async () => {
      const expired = {
        partition: 1,
        reason: 'expired' as const,
        from: 5,
        next: 9,
        recordedAt: sampleTime(1),
      };
      const truncated = {
        partition: 1,
        reason: 'truncated' as const,
        from: 9,
        next: 5,
        recordedAt: sampleTime(2),
      };
      await dead.addLoss(expired);
      await dead.addLoss(truncated);
      await dead.addLoss({ ...expired, recordedAt: sampleTime(3) });
      expect(await dead.listLosses(10)).toEqual([truncated, expired]);
      expect(await dead.listLosses(1)).toEqual([truncated]);
    });

    it('forgets what is old, in steps, and no loss', async () => {
      for (const number of [1, 2, 3, 4]) await dead.add(deadRecord(number));
      await dead.addLoss({ partition: 1, reason: 'expired', from: 1, next: 2, recordedAt: sampleTime(1) });
      expect(await dead.sweep(sampleTime(4), 2)).toBe(2);
      expect(await dead.sweep(sampleTime(4), 2)).toBe(1);
      expect(await dead.sweep(sampleTime(4), 2)).toBe(0);
      expect(await listed()).toEqual([deadRecord(4)]);
      expect(await dead.listLosses(10)).toHaveLength(1);
    });
  });
}
