import { deliveryIdOf, type Delivery } from '@posthorn/models';
import type { DeliveryStore } from '../deliveries/delivery-store.ts';
import { openFeeds, type FeedsUnderTest, type Owner } from './feed.harness.ts';
import { sampleDelivery, sampleEvent, sampleInsert } from '../deliveries/sample-deliveries.ts';

let subject: FeedsUnderTest;
let owner: Owner;
let made = 0;

beforeEach(async () => {
  made = 0;
  subject = openFeeds();
  owner = subject.createOwner();
  owner.own(0, 1);
  owner.own(1, 1);
  await owner.look();
  await settle(owner);
});
afterEach(() => subject.close());

/** A delivery of an event that was accepted so long ago. */
function accepted(agoMs = 0, over: Partial<Delivery> = {}): Delivery {
  made += 1;
  const acceptedAt = new Date(subject.clock.now() - agoMs);
  const event = sampleEvent(made, { acceptedAt });
  const id = deliveryIdOf({ acceptedAt, organisationId: 'org', eventId: event.id, endpointId: 'endpoint' });
  return sampleDelivery(event, 'endpoint', { id, ...over });
}

/** Lets everything that is on record become settled. */
async function settle(...owners: readonly Owner[]): Promise<void> {
  for (let times = 0; times < 6; times++) {
    subject.clock.advance(2000);
    for (const one of owners) await one.publish();
  }
}

async function put(deliveries: readonly Delivery[], partition = 0, epoch = 1, by = owner): Promise<void> {
  await by.deliveries.record(
    deliveries.map((delivery) => sampleInsert({ delivery, partition, epoch })),
    [],
  );
}

const idsOf = (page: Awaited<ReturnType<FeedsUnderTest['read']>>): readonly string[] =>
  page.entries.map(({ delivery }) => delivery.id);

/** Everything from a cursor on, page by page. */
async function readOn(
  cursor: string,
  limit = 250,
): Promise<{ readonly ids: readonly string[]; readonly cursor: string }> {
  const ids: string[] = [];
  for (let place = cursor; ;) {
    const page = await subject.read({ cursor: place, limit });
    ids.push(...idsOf(page));
    place = page.nextCursor;
    if (!page.hasMore) return { ids, cursor: place };
  }
}

describe('a feed', () => {
  it('gives what is settled, oldest first, in pages, and a cursor at its end that goes on with what comes', async () => {
    const all = [accepted(30), accepted(20), accepted(10), accepted()];
    await put([all[2] as Delivery, all[0] as Delivery]);
    await put([all[3] as Delivery, all[1] as Delivery], 1);
    const empty = await subject.read();
    expect(empty).toMatchObject({ entries: [], hasMore: false });
    await settle(owner);
    const first = await subject.read({ cursor: empty.nextCursor, limit: 3 });
    expect(first.hasMore).toBe(true);
    const rest = await readOn(first.nextCursor);
    expect([...idsOf(first), ...rest.ids]).toEqual(all.map(({ id }) => id));

    const next = accepted();
    await put([next]);
    await settle(owner);
    expect((await readOn(rest.cursor)).ids).toEqual([next.id]);
  });

  it('gives what was published a while ago to who reads for the first time since', async () => {
    const first = accepted();
    await put([first]);
    subject.clock.advance(60_000);
    const second = accepted();
    await put([second]);
    subject.clock.advance(10_000);
    await owner.publish();
    expect((await readOn('')).ids).toEqual([first.id, second.id]);
  });

  it('skips nothing that a slower partition puts on record later, with an earlier time', async () => {
    // Read in order of id alone, and without a horizon, the cursor would stand behind `slow` by then.
    const slow = accepted(1000);
    const fast = accepted();
    await put([fast], 1);
    const { cursor, ids } = await readOn('');
    await put([slow], 0);
    await settle(owner);
    const later = await readOn(cursor);
    expect([...ids, ...later.ids].toSorted()).toEqual([slow.id, fast.id].toSorted());
  });

  it('skips nothing that is planned long after it was accepted, and gives it once', async () => {
    const fresh = accepted();
    await put([fresh]);
    await settle(owner);
    const { cursor } = await readOn('');
    const late = [accepted(3_600_000), accepted(86_400_000)];
    await put(late);
    const next = await readOn(cursor, 1);
    expect(next.ids.toSorted()).toEqual(late.map(({ id }) => id).toSorted());
    await settle(owner);
    expect((await readOn(next.cursor)).ids).toEqual([]);
    // To who begins now, they stand in their places.
    expect((await readOn('')).ids).toEqual([late[1]?.id, late[0]?.id, fresh.id]);
  });

  it('skips nothing that someone puts on record beside the log, and repeats nothing for a retry', async () => {
    const fresh = accepted();
    await put([fresh]);
    await settle(owner);
    const { cursor } = await readOn('');
    const claim = {
      partition: 0,
      epoch: 0,
      order: null,
      trigger: 'replay',
      now: new Date(subject.clock.now()),
      claim: null,
      claimedUntil: new Date(subject.clock.now()),
    } as const;
    const replayed = accepted(10_000_000);
    await owner.deliveries.claimNow({ ...claim, delivery: replayed });
    await owner.deliveries.claimNow({ ...claim, delivery: fresh });
    expect((await readOn(cursor)).ids).toEqual([replayed.id]);
  });

  it('isn’t read beyond what is still being written', async () => {
    const writes: (() => void)[] = [];
    const slow: DeliveryStore = {
      ...subject.store,
      async record(...args) {
        await new Promise<void>((resolve) => writes.push(resolve));
        await subject.store.record(...args);
      },
    };
    const other = subject.createOwner(slow);
    other.own(2, 1);
    await other.look();
    await settle(owner, other);
    const stuck = accepted();
    const writing = put([stuck], 2, 1, other);
    await settle(owner, other);
    const fresh = accepted();
    await put([fresh]);
    await settle(owner, other);
    const before = await readOn('');
    expect(before.ids).toEqual([]);
    writes.shift()?.();
    await writing;
    await settle(owner, other);
    expect((await readOn(before.cursor)).ids).toEqual([stuck.id, fresh.id]);
  });

  it('skips nothing that a stopped owner writes after its successor has moved the horizon on', async () => {
    const delivery = accepted(1);
    const successor = subject.createOwner();
    owner.held.splice(0, 1);
    successor.own(0, 2);
    await successor.look();
    const fresh = accepted();
    await put([fresh], 0, 2, successor);
    await settle(owner, successor);
    const { cursor, ids } = await readOn('');
    expect(ids).toEqual([fresh.id]);
    // What the old owner had under way when it was stopped: unmarked, for its horizon was earlier.
    await subject.store.record([sampleInsert({ delivery })], []);
    expect((await readOn(cursor)).ids).toEqual([]);
    // The successor reads the event again, and finds it on record.
    expect(await successor.deliveries.findRecorded([delivery])).toEqual(new Set([delivery.id]));
    expect((await readOn(cursor)).ids).toEqual([delivery.id]);
  });

  it('marks what it finds on record before it knows where the horizon of a partition stands', async () => {
    const delivery = accepted();
    await put([delivery]);
    await settle(owner);
    const { cursor } = await readOn('');
    const ignorant = subject.createOwner();
    ignorant.own(0, 2);
    await ignorant.deliveries.findRecorded([delivery]);
    expect((await readOn(cursor)).ids).toEqual([delivery.id]);
  });

  it('filters by state, past what does not match, and begins after a time', async () => {
    const missed = [accepted(5000, { state: 'exhausted' }), accepted(0, { state: 'held' })];
    await put([...missed, ...Array.from({ length: 300 }, () => accepted(1000, { state: 'succeeded' }))]);
    await settle(owner);
    const states = ['exhausted', 'held'] as const;
    expect(idsOf(await subject.read({ states }))).toEqual(missed.map(({ id }) => id));
    const after = new Date(subject.clock.now() - 12_000 - 3000);
    expect(idsOf(await subject.read({ states, after }))).toEqual([missed[1]?.id]);
  });

  it('gives events with their bytes, ends a page at a megabyte, and says when an event is gone', async () => {
    const payload = Buffer.from(`"${'x'.repeat(400_000)}"`);
    const events = [1, 2, 3, 4].map((number) =>
      sampleEvent(number, { acceptedAt: new Date(subject.clock.now()), payload }),
    );
    for (const event of events) await subject.log.append(event);
    const gone = sampleEvent(9, { acceptedAt: new Date(subject.clock.now() - 1) });
    await put([gone, ...events].map((event) => sampleDelivery(event)));
    await settle(owner);
    const page = await subject.read();
    expect(page.entries.map(({ event }) => event?.payload.byteLength ?? null)).toEqual([
      null,
      payload.length,
      payload.length,
      payload.length,
    ]);
    expect(page.hasMore).toBe(true);
    expect((await readOn(page.nextCursor)).ids).toHaveLength(1);
  });

  it.each([
    'x',
    'W10',
    Buffer.from('["endpoint","",-1,0]').toString('base64url'),
    Buffer.from('["endpoint","a",0,0]').toString('base64url'),
  ])('refuses %j, which is no cursor of a feed', async (cursor) => {
    await expect(subject.read({ cursor })).rejects.toMatchObject({
      code: 'invalid_argument',
      violations: [{ field: '?cursor' }],
    });
  });

  it("refuses a cursor of another endpoint's feed, whose places are others", async () => {
    const { cursor } = await readOn('');
    await expect(subject.read({ cursor, endpointId: 'other' })).rejects.toMatchObject({
      code: 'invalid_argument',
      violations: [{ field: '?cursor' }],
    });
  });
});
