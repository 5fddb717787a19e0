import { idCeiling, idFloor, type Delivery, type Event } from '@posthorn/models';
import type { DeliveryOrder, DeliveryStore } from '../deliveries/delivery-store.ts';
import type { ReplayStore } from './replay-store.ts';
import { sampleDelivery, sampleEvent, sampleInsert, sampleTime } from '../deliveries/sample-deliveries.ts';

export interface ReplayStoreUnderTest {
  readonly replays: ReplayStore;
  readonly deliveries: DeliveryStore;
  /** Puts an event into the log and on record. */
  recordEvent(event: Event): Promise<unknown>;
  /** Puts a test's event on record, which isn't in the log. */
  recordTestEvent(event: Event): Promise<unknown>;
  close(): Promise<void>;
}

/** What every adapter of the replay store guarantees. */
export function describeReplayStore(name: string, open: () => Promise<ReplayStoreUnderTest>): void {
  describe(`${name} keeps the contract of the replay store`, () => {
    let subject: ReplayStoreUnderTest;
    let replays: ReplayStore;
    beforeEach(async () => {
      subject = await open();
      ({ replays } = subject);
    });
    afterEach(() => subject.close());

    async function put(
      number: number,
      over: Partial<Delivery> = {},
      {
        claim = null,
        order = null,
        endpointId = 'endpoint',
      }: { claim?: string | null; order?: DeliveryOrder | null; endpointId?: string } = {},
    ): Promise<Delivery> {
      const event = sampleEvent(number, { organisationId: over.organisationId ?? 'org' });
      const delivery = sampleDelivery(event, endpointId, { state: 'exhausted', ...over });
      await subject.deliveries.record([sampleInsert({ delivery, order, claim })], []);
      return delivery;
    }

    const read = async ({ organisationId, id }: Delivery) =>
      (await subject.deliveries.get(organisationId, id))?.delivery;

    const request = { states: ['exhausted', 'held'], trigger: 'replay', now: sampleTime(500) } as const;

    it('walks over the deliveries to an endpoint, the oldest first, between two times, a few at a time', async () => {
      const made = [];
      for (const number of [4, 2, 5, 1, 3]) made.push(await put(number));
      await put(3, {}, { endpointId: 'another' });
      await put(3, { organisationId: 'other' });
      const walk = {
        organisationId: 'org',
        endpointId: 'endpoint',
        after: idFloor(sampleTime(2).getTime()),
        to: idCeiling(sampleTime(4).getTime()),
      };
      const first = await replays.walkDeliveries({ ...walk, limit: 2 });
      expect(first.map(({ delivery }) => delivery)).toEqual([made[1], made[4]]);
      const after = first.at(-1)?.delivery.id ?? '';
      const second = await replays.walkDeliveries({ ...walk, after, limit: 2 });
      expect(second).toEqual([{ delivery: made[0], lastStatus: null }]);
    });

    it('walks over events as they were accepted, those too whose ids their producers chose, and over no tests', async () => {
      const events = [];
      for (const number of [2, 1, 4, 3, 5]) {
        const chosen = number === 3 ? { id: 'ffffffff-ffff-4fff-bfff-ffffffffffff' } : {};
        const event = sampleEvent(number, { id: idFloor(sampleTime(number).getTime()), ...chosen });
        await subject.recordEvent(event);
        events.push(event.id);
      }
      await subject.recordTestEvent(sampleEvent(3, { id: idCeiling(sampleTime(3).getTime()) }));
      await subject.recordEvent(sampleEvent(3, { organisationId: 'other' }));
      const walk = { organisationId: 'org', since: sampleTime(2), until: sampleTime(5), limit: 2 };
      const found: string[] = [];
      for (let after: string | null = ''; after !== null;) {
        const slice = await replays.walkEvents({ ...walk, after });
        expect(slice.events.length).toBeLessThanOrEqual(2);
        for (const { event, position } of slice.events) {
          expect(position).toBeGreaterThan(0);
          found.push(event.id);
        }
        after = slice.next;
      }
      expect(found).toEqual([events[0], events[3], events[2]]);
    });

    it('finds deliveries and the places of events by their ids', async () => {
      const [one, another] = [await put(1), await put(2)];
      await subject.recordEvent(sampleEvent(1, { orderingKey: 'key' }));
      await subject.recordEvent(sampleEvent(2, { organisationId: 'other' }));
      const found = await replays.findDeliveries('org', [one.id, another.id, 'unknown']);
      expect([...found.keys()].sort()).toEqual([one.id, another.id].sort());
      expect(await replays.findDeliveries('other', [one.id])).toEqual(new Map());
      const places = await replays.placesOf('org', [sampleEvent(1).id, sampleEvent(2).id]);
      expect([...places]).toEqual([
        [sampleEvent(1).id, { partition: 0, position: expect.any(Number), orderingKey: 'key' }],
      ]);
      expect(await replays.findDeliveries('org', [])).toEqual(new Map());
      expect(await replays.placesOf('org', [])).toEqual(new Map());
    });

    it('makes due what is still in its state and in nobody’s hands, and nothing else', async () => {
      const exhausted = await put(1);
      const held = await put(2, { state: 'held' });
      const delivered = await put(3, { state: 'succeeded', finishedAt: sampleTime(4) });
      const underWay = await put(4, { state: 'held', nextAttemptAt: sampleTime(99) }, { claim: 'somebody' });
      const items = [exhausted, held, delivered, underWay].map((one) => ({
        ...one,
        order: null,
        isOurs: true,
      }));
      const made = await replays.makeDue({ items, ...request });

      expect(made).toEqual(new Set([exhausted.id, held.id]));
      expect(await read(exhausted)).toEqual({
        ...exhausted,
        trigger: 'replay',
        nextAttemptAt: request.now,
      });
      expect(await read(held)).toMatchObject({
        state: 'held',
        trigger: 'replay',
        nextAttemptAt: request.now,
      });
      expect(await read(delivered)).toEqual(delivered);
      expect(await read(underWay)).toMatchObject({ trigger: 'schedule', nextAttemptAt: sampleTime(99) });
      const elsewhere = [{ organisationId: 'other', id: exhausted.id, order: null, isOurs: true }];
      expect(await replays.makeDue({ items: elsewhere, ...request })).toEqual(new Set());
    });

    it('puts what wants order in its place under its key, due when it is promoted', async () => {
      const later = await put(2);
      const earlier = await put(1);
      const waiting = await put(3, { state: 'held', nextAttemptAt: sampleTime(99) });
      const items = [later, earlier, waiting].map(({ organisationId, id }, index) => ({
        organisationId,
        id,
        order: { key: 'key', position: [2, 1, 3][index] ?? 0 },
        isOurs: true,
      }));
      expect(await replays.makeDue({ items, ...request })).toEqual(
        new Set([later.id, earlier.id, waiting.id]),
      );
      expect(await read(later)).toMatchObject({ trigger: 'replay', nextAttemptAt: null });
      expect(await read(waiting)).toMatchObject({ trigger: 'replay', nextAttemptAt: request.now });
      const key = { organisationId: 'org', endpointId: 'endpoint', partition: 0, key: 'key' };
      expect(await subject.deliveries.promote({ ...key, now: sampleTime(600), release: false })).toEqual({
        kind: 'due',
        deliveryId: earlier.id,
        dueAt: sampleTime(600),
      });
      expect(await subject.deliveries.takeArrivals([0], 10)).toEqual([]);
    });

    it('tells the owner of another partition what was put in its place', async () => {
      const [ours, anothers] = [await put(1), await put(2)];
      const item = ({ organisationId, id }: Delivery, position: number, isOurs: boolean) => ({
        organisationId,
        id,
        order: { key: 'key', position },
        isOurs,
      });
      const items = [item(ours, 1, true), item(anothers, 2, false)];
      expect((await replays.makeDue({ items, ...request })).size).toBe(2);
      const arrival = { organisationId: 'org', endpointId: 'endpoint', partition: 0, key: 'key' };
      expect(await subject.deliveries.takeArrivals([0], 10)).toEqual([
        { ...arrival, dueAt: null, isScheduled: false },
      ]);
    });

    it('counts what could go out, up to a limit: not what is due later, nor what has ended', async () => {
      for (const number of [1, 2, 3]) await put(number, { state: 'held', nextAttemptAt: sampleTime(number) });
      await put(4, { state: 'pending' }, { order: { key: 'key', position: 4 } });
      await put(5, { state: 'retrying', nextAttemptAt: sampleTime(1000) });
      await put(6);
      await put(7, { state: 'held', nextAttemptAt: sampleTime(1) }, { endpointId: 'another' });
      const lane = { organisationId: 'org', endpointId: 'endpoint' };

      expect(await replays.backlog(lane, sampleTime(500), 10)).toBe(4);
      expect(await replays.backlog(lane, sampleTime(500), 2)).toBe(2);
      expect(await replays.backlog({ ...lane, organisationId: 'other' }, sampleTime(500), 10)).toBe(0);
    });
  });
}
