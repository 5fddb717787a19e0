import { deliveryReasons, type Attempt, type Delivery, type Event } from '@posthorn/models';
import type { DeadRecordStore } from '../intake/dead-record-store.ts';
import type { DeliveryStore } from '../deliveries/delivery-store.ts';
import { eventToErase, unknownEventToErase } from './eraser.ts';
import type { ErasureStore, Tombstone } from './erasure-store.ts';
import type { EventStore } from '../events/event-store.ts';
import { sampleAttempt, sampleDelivery, sampleEvent, sampleTime } from '../deliveries/sample-deliveries.ts';

export interface ErasureStoreUnderTest {
  readonly erasures: ErasureStore;
  readonly deliveries: DeliveryStore;
  readonly events: EventStore;
  readonly deadRecords: DeadRecordStore;
  /** Puts an event into the log and on record. */
  recordEvent(event: Event): Promise<unknown>;
  close(): Promise<void>;
}

/** What every adapter of the erasure store guarantees. */
export function describeErasureStore(name: string, open: () => Promise<ErasureStoreUnderTest>): void {
  describe(`${name} keeps the contract of the erasure store`, () => {
    let subject: ErasureStoreUnderTest;
    let erasures: ErasureStore;
    beforeEach(async () => {
      subject = await open();
      ({ erasures } = subject);
    });
    afterEach(() => subject.close());

    const now = sampleTime(900);
    const erase = (...events: readonly Event[]) =>
      erasures.erase({ organisationId: 'org', events: events.map(eventToErase), now });

    async function put(
      event: Event,
      over: Partial<Delivery> = {},
      more: {
        readonly attempt?: Partial<Attempt>;
        readonly endpointId?: string;
        readonly claim?: string;
      } = {},
    ): Promise<Delivery> {
      const { endpointId = 'endpoint', claim = null } = more;
      const delivery = sampleDelivery(event, endpointId, { attempts: 1, ...over });
      const attempt = sampleAttempt(delivery, 1, more.attempt);
      await subject.deliveries.record(
        [{ kind: 'insert', delivery, partition: 0, epoch: 1, order: null, claim, attempt }],
        [],
      );
      return delivery;
    }

    const read = async ({ organisationId, id }: Delivery) => subject.deliveries.get(organisationId, id);
    const waiting = { state: 'retrying', nextAttemptAt: sampleTime(99) } as const;

    it('removes an event and the answers of its receivers, and cancels what waits of it', async () => {
      const event = sampleEvent(1, { subject: 'someone', labels: { region: 'eu' } });
      await subject.recordEvent(event);
      const retrying = await put(event, waiting);
      const done = await put(
        event,
        { state: 'succeeded', finishedAt: sampleTime(3) },
        { endpointId: 'another' },
      );
      const erased = await erase(event);

      expect(erased).toEqual({
        events: 1,
        responses: 2,
        cancelled: [{ id: retrying.id, endpointId: 'endpoint' }],
      });
      expect(await subject.events.get('org', event.id)).toBeNull();
      expect(await read(retrying)).toMatchObject({
        delivery: {
          state: 'cancelled',
          reason: deliveryReasons.erased,
          nextAttemptAt: null,
          finishedAt: now,
        },
        lastAttempt: { status: 200, response: null },
      });
      expect(await read(done)).toMatchObject({
        delivery: { state: 'succeeded', reason: null, finishedAt: sampleTime(3) },
        lastAttempt: { outcome: 'success', response: null },
      });
    });

    it('leaves every other event as it is: of another organisation, or accepted at the same moment', async () => {
      const event = sampleEvent(1);
      const others = [
        sampleEvent(1, { organisationId: 'other' }),
        sampleEvent(2, { acceptedAt: event.acceptedAt }),
      ];
      const kept: Delivery[] = [];
      for (const one of [event, ...others]) await subject.recordEvent(one);
      for (const other of others) kept.push(await put(other, waiting));
      const before = await Promise.all(kept.map(read));
      await put(event, waiting);
      await erase(event);

      for (const other of others)
        expect(await subject.events.get(other.organisationId, other.id)).toMatchObject({ id: other.id });
      expect(await Promise.all(kept.map(read))).toEqual(before);
    });

    it('takes from whoever has it what is being sent, so that its outcome changes nothing', async () => {
      const event = sampleEvent(1);
      await subject.recordEvent(event);
      const held = await put(event, waiting, { claim: 'somebody' });
      await erase(event);
      await subject.deliveries.record(
        [
          {
            kind: 'update',
            delivery: { ...held, state: 'retrying', nextAttemptAt: sampleTime(200) },
            expectedClaim: 'somebody',
            order: null,
            claim: null,
            attempt: null,
          },
        ],
        [],
      );
      expect((await read(held))?.delivery).toMatchObject({ state: 'cancelled', nextAttemptAt: null });
    });

    it('lets go of what had ended and was to be sent once more', async () => {
      const event = sampleEvent(1);
      await subject.recordEvent(event);
      const again = await put(event, {
        state: 'exhausted',
        trigger: 'replay',
        nextAttemptAt: sampleTime(99),
        finishedAt: sampleTime(3),
      });
      await erase(event);
      expect((await read(again))?.delivery).toMatchObject({
        state: 'exhausted',
        trigger: 'schedule',
        nextAttemptAt: null,
      });
    });

    it('can be done again, and finds what is left of an event that is no more by the time in its id', async () => {
      const at = Date.UTC(2026, 0, 1);
      const id = `${at
        .toString(16)
        .padStart(12, '0')
        .replace(/^(.{8})/, '$1-')}-4000-8000-000000000001`;
      const event = sampleEvent(1, { id, acceptedAt: new Date(at + 20) });
      await subject.recordEvent(event);
      await erase(event);
      expect(await erase(event)).toEqual({ events: 0, responses: 0, cancelled: [] });
      const late = await put(event, waiting);
      const events = [unknownEventToErase(id)];
      expect(await erasures.erase({ organisationId: 'org', events, now })).toEqual({
        events: 0,
        responses: 1,
        cancelled: [{ id: late.id, endpointId: 'endpoint' }],
      });
    });

    it('removes what was put aside: of an event, and of an organisation', async () => {
      const record = (number: number, over: object = {}) => ({
        id: `dead-${number}`,
        kind: 'unplannable' as const,
        partition: 0,
        position: number,
        organisationId: 'org',
        eventId: sampleEvent(number).id,
        deliveryId: null,
        reason: 'No.',
        bytes: Buffer.from('payload'),
        // A database that removes by its own clock what is old leaves it alone.
        recordedAt: new Date(Date.UTC(2126, 0, 1) + number),
        ...over,
      });
      await subject.deadRecords.add(record(1));
      await subject.deadRecords.add(record(2));
      await subject.deadRecords.add(record(3, { organisationId: 'other' }));
      const left = async () => (await subject.deadRecords.list(10)).map(({ id }) => id).sort();
      await erase(sampleEvent(1));
      expect(await left()).toEqual(['dead-2', 'dead-3']);
      await erasures.eraseDeadRecords('org');
      expect(await left()).toEqual(['dead-3']);
    });

    it('walks over the events of an organisation with their subjects, each once', async () => {
      const events = [3, 1, 2].map((number) => sampleEvent(number, { subject: `subject ${number}` }));
      for (const event of events) await subject.recordEvent(event);
      await subject.recordEvent(sampleEvent(4, { id: 'chosen by its producer' }));
      await subject.recordEvent(sampleEvent(5, { organisationId: 'other' }));
      const found = [];
      for (let after = ''; ;) {
        const page = await erasures.walkSubjects('org', after, 3);
        found.push(...page);
        const last = page.at(-1);
        if (last === undefined || page.length < 3) break;
        after = last.id;
      }
      expect(found.map(({ subject: about }) => about)).toEqual(['subject 1', 'subject 2', 'subject 3', null]);
      expect(found[0]).toEqual({
        id: sampleEvent(1).id,
        subject: 'subject 1',
        acceptedAt: sampleTime(1),
      });
    });

    it('remembers what was erased, in order, for whoever asks after a number', async () => {
      const tombstones: readonly Tombstone[] = [
        { kind: 'event', organisationId: 'org', eventId: 'event' },
        { kind: 'subject', organisationId: 'org', subjectHash: 'hash', before: sampleTime(7) },
        { kind: 'organisation', organisationId: 'gone' },
      ];
      for (const tombstone of tombstones) await erasures.addTombstone(tombstone);
      const found = await erasures.tombstonesAfter(0, 10);
      expect(found.map(({ tombstone }) => tombstone)).toEqual(tombstones);
      const [first, second] = await erasures.tombstonesAfter(0, 2);
      expect(second?.tombstone).toEqual(tombstones[1]);
      expect(await erasures.tombstonesAfter(first?.number ?? 0, 1)).toEqual([second]);
      expect(await erasures.tombstonesAfter(found.at(-1)?.number ?? 0, 10)).toEqual([]);
    });

    it('gives each of many concurrent tombstones a number of its own, above those that were seen', async () => {
      const ids = Array.from({ length: 12 }, (_, number) => `event ${number}`);
      let seen = 0;
      const look = async () => {
        const found = await erasures.tombstonesAfter(seen, 100);
        seen = found.at(-1)?.number ?? seen;
        return found;
      };
      const found = [];
      const adding = Promise.all(
        ids.map((eventId) => erasures.addTombstone({ kind: 'event', organisationId: 'org', eventId })),
      );
      for (let looks = 0; looks < 5; looks++) found.push(...(await look()));
      await adding;
      found.push(...(await look()));
      const names = found.flatMap(({ tombstone }) => (tombstone.kind === 'event' ? [tombstone.eventId] : []));
      expect([...names].sort()).toEqual([...ids].sort());
    });

    it('keeps the first key', async () => {
      const first = await erasures.key(Buffer.from('first'));
      expect(Buffer.from(first).toString()).toBe('first');
      expect(Buffer.from(await erasures.key(Buffer.from('second'))).toString()).toBe('first');
    });
  });
}
