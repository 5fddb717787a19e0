import type { LogBatch } from '@posthorn/event-log';
import type { Event } from '@posthorn/models';
import type { EventStore } from './event-store.ts';
import { sampleEvent } from '../deliveries/sample-deliveries.ts';

export interface EventClaimsUnderTest {
  readonly events: EventStore;
  close(): Promise<void>;
}

/** What an adapter of the event store guarantees in which claiming is inserting (pipeline rule 6). */
export function describeEventClaims(name: string, open: () => Promise<EventClaimsUnderTest>): void {
  describe(`${name} keeps the contract of event claims`, () => {
    let subject: EventClaimsUnderTest;
    beforeEach(async () => {
      subject = await open();
    });
    afterEach(() => subject.close());

    const batch = (
      events: readonly (readonly [position: number, event: Event])[],
      partition = 0,
    ): LogBatch => ({
      partition,
      events: events.map(([position, event]) => ({ position, event })),
      mayRepeat: false,
    });
    const [one, two, three] = [sampleEvent(1), sampleEvent(2), sampleEvent(3)];

    it('is new the first time, and on record from then on, byte for byte, with its place', async () => {
      expect(
        await subject.events.claim(
          batch([
            [5, one],
            [6, two],
          ]),
        ),
      ).toEqual(['new', 'new']);
      const found = await subject.events.get('org', one.id);
      expect(found && { ...found, payload: Buffer.from(found.payload) }).toEqual(one);
      expect(await subject.events.placeOf('org', two.id)).toEqual({ partition: 0, position: 6 });
      expect(await subject.events.placeOf('org', three.id)).toBeNull();
      expect(await subject.events.placeOf('other', two.id)).toBeNull();
    });

    it('is a repeat when it is read again from its place', async () => {
      await subject.events.claim(batch([[5, one]]));
      expect(
        await subject.events.claim(
          batch([
            [5, one],
            [6, two],
          ]),
        ),
      ).toEqual(['repeat', 'new']);
    });

    it('is a duplicate from any other place, and keeps the first one', async () => {
      await subject.events.claim(batch([[5, one]]));
      expect(
        await subject.events.claim(
          batch([
            [9, one],
            [10, two],
          ]),
        ),
      ).toEqual(['duplicate', 'new']);
      expect(await subject.events.claim(batch([[5, one]], 1))).toEqual(['duplicate']);
      expect(await subject.events.placeOf('org', one.id)).toEqual({ partition: 0, position: 5 });
    });

    it('is new once when it stands twice in one batch, and whichever it was stays the one', async () => {
      const twice = batch([
        [5, one],
        [6, two],
        [7, one],
      ]);
      const first = await subject.events.claim(twice);
      expect(first[1]).toBe('new');
      expect([first[0], first[2]].sort()).toEqual(['duplicate', 'new']);
      const again = await subject.events.claim({ ...twice, mayRepeat: true });
      expect(again).toEqual(first.map((claim) => (claim === 'new' ? 'repeat' : 'duplicate')));
    });

    it("takes another organisation's event of the same id for another event", async () => {
      await subject.events.claim(batch([[5, one]]));
      const other = sampleEvent(1, { organisationId: 'other' });
      expect(await subject.events.claim(batch([[6, other]]))).toEqual(['new']);
    });

    it('is given to one of two who claim the same batch at once', async () => {
      const both = await Promise.all([1, 2].map(() => subject.events.claim(batch([[5, one]]))));
      expect(both.flat().sort()).toEqual(['new', 'repeat']);
    });
  });
}
