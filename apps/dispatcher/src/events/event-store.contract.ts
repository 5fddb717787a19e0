import { sampleEvent, sampleTime } from '../deliveries/sample-deliveries.ts';
import type { StoresUnderTest } from '../deliveries/stores-under-test.harness.ts';

/** What every adapter of the event store guarantees. */
export function describeEventStore(name: string, open: () => Promise<StoresUnderTest>): void {
  describe(`${name} keeps the contract of the event store`, () => {
    let subject: StoresUnderTest;
    beforeEach(async () => {
      subject = await open();
      for (let number = 1; number <= 5; number += 1) {
        await subject.recordEvent(
          sampleEvent(number, {
            type: number === 2 ? 'order.lost' : 'order.paid',
            labels: number === 3 ? { region: 'eu', '$.odd"name': 'x' } : {},
            subject: number === 4 ? 'someone' : null,
            idempotencyKey: number === 5 ? 'once' : null,
          }),
        );
      }
      await subject.recordEvent(sampleEvent(1, { organisationId: 'other' }));
    });
    afterEach(() => subject.close());

    const found = async (filter: object, limit = 50): Promise<number[]> => {
      const { items } = await subject.events.list(
        { organisationId: 'org', ...filter },
        { limit, cursor: '' },
      );
      return items.map(({ acceptedAt }) => (acceptedAt.getTime() - sampleTime(0).getTime()) / 1000);
    };

    it('finds an event by its organisation and id, its payload byte for byte', async () => {
      const event = await subject.events.get('org', sampleEvent(3).id);
      expect(event && { ...event, payload: Buffer.from(event.payload).toString() }).toEqual({
        ...sampleEvent(3, { labels: { region: 'eu', '$.odd"name': 'x' } }),
        payload: '{"n":3}',
      });
      expect(await subject.events.get('other', sampleEvent(3).id)).toBeNull();
    });

    it('lists newest first, by type, label, subject, key and time', async () => {
      expect(await found({})).toEqual([5, 4, 3, 2, 1]);
      expect(await found({}, 2)).toEqual([5, 4]);
      expect(await found({ type: 'order.lost' })).toEqual([2]);
      expect(await found({ labels: { region: 'eu' } })).toEqual([3]);
      expect(await found({ labels: { '$.odd"name': 'x' } })).toEqual([3]);
      expect(await found({ labels: { region: 'us' } })).toEqual([]);
      expect(await found({ subject: 'someone' })).toEqual([4]);
      expect(await found({ idempotencyKey: 'once' })).toEqual([5]);
      expect(await found({ after: sampleTime(2), before: sampleTime(5) })).toEqual([4, 3]);
    });

    it('lists events whose ids the producer chose by their time too, finds them, and forgets them', async () => {
      for (const [number, id] of [
        [6, 'zz-last-of-the-alphabet'],
        [7, '0'],
        [8, 'evt_1'],
      ] as const) {
        await subject.recordEvent(sampleEvent(number, { id }));
      }
      await subject.recordEvent(sampleEvent(9));
      await subject.recordEvent(sampleEvent(10, { id: 'evt_1' }));
      expect(await found({})).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
      const pages: number[] = [];
      for (let cursor = ''; ;) {
        const page = await subject.events.list({ organisationId: 'org' }, { limit: 2, cursor });
        pages.push(...page.items.map(({ acceptedAt }) => acceptedAt.getTime()));
        cursor = page.nextCursor;
        if (cursor === '') break;
      }
      expect(pages).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1].map((number) => sampleTime(number).getTime()));
      expect((await subject.events.get('org', 'evt_1'))?.acceptedAt).toEqual(sampleTime(8));
      expect(await subject.events.sweep('org', sampleTime(8), 100)).toBe(7);
      expect(await found({})).toEqual([9, 8]);
    });

    it('forgets what was accepted before a time, in steps', async () => {
      expect(await subject.events.organisations('', 1)).toEqual(['org']);
      expect(await subject.events.organisations('org', 5)).toEqual(['other']);
      expect(await subject.events.sweep('org', sampleTime(4), 2)).toBe(2);
      expect(await subject.events.sweep('org', sampleTime(4), 2)).toBe(1);
      expect(await found({})).toEqual([5, 4]);
    });
  });
}
