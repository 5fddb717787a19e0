import type { Event } from '@posthorn/models';
import { FakeClock, createSeededRandom } from '@posthorn/testing';
import { sampleAttempt, sampleDelivery, sampleEvent, sampleTime } from '../deliveries/sample-deliveries.ts';
import { createFeedHorizons } from '../feeds/feed-horizons.ts';
import type { Job } from '../jobs/job-store.ts';
import type { DispatcherStores } from '../stores.ts';
import { createErasureJob, writeErasureTarget } from './erasure-job.ts';
import { createTombstones } from './tombstones.ts';

type Stores = Omit<DispatcherStores, 'leases' | 'replays' | 'search' | 'recordTestEvent'>;

export interface OrganisationErasureUnderTest {
  readonly stores: Stores;
  /** Puts an event into the log and on record. */
  recordEvent(event: Event): Promise<unknown>;
  /** The tables or collections in which a text stands, by name. */
  placesWith(text: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** What the tables or collections are called that a test has filled, and those of them that may still name the organisation. */
export interface Places {
  readonly filled: readonly string[];
  readonly kept: readonly string[];
}

/** That erasing an organisation leaves nothing of it in any place where the dispatcher keeps something, but the record of that. */
export function describeOrganisationErasure(
  name: string,
  { filled, kept }: Places,
  open: () => Promise<OrganisationErasureUnderTest>,
): void {
  const [gone, other] = ['organisation-gone', 'organisation-kept'];

  it(`the erasure of an organisation leaves nothing of it in ${name} but its own record`, async () => {
    const subject = await open();
    for (const organisationId of [gone, other]) {
      for (const number of [1, 2, 3]) await fill(subject, organisationId, number);
    }
    expect(await subject.placesWith(gone)).toEqual(filled);
    await erase(subject.stores, gone);
    expect(await subject.placesWith(gone)).toEqual(kept);
    expect(await subject.placesWith(other)).toEqual(filled);
    await subject.close();
  });
}

/** Something in every place. */
async function fill(
  { stores, recordEvent }: OrganisationErasureUnderTest,
  organisationId: string,
  number: number,
): Promise<void> {
  const id = `${organisationId} ${number}`;
  const event = sampleEvent(number, { organisationId });
  const endpointId = `endpoint-${id}`;
  const delivery = sampleDelivery(event, endpointId);
  const attempt = sampleAttempt(delivery);
  await recordEvent(event);
  await stores.deliveries.record(
    [{ kind: 'insert', delivery, partition: 0, epoch: 1, order: null, claim: null, attempt, event }],
    [],
  );
  await stores.feeds.markLate([delivery]);
  await stores.troubles.begin({ organisationId, endpointId, failingSince: sampleTime(1), openUntil: null });
  await stores.tasks.insert({
    id,
    organisationId,
    endpointId,
    kind: 'test',
    keyId: null,
    eventId: event.id,
    state: 'pending',
    error: null,
    createdAt: sampleTime(number),
    startedAt: null,
    completedAt: null,
  });
  await stores.deadRecords.add({
    id,
    kind: 'unplannable',
    partition: 0,
    position: number,
    organisationId,
    eventId: event.id,
    deliveryId: null,
    reason: 'It cannot be planned.',
    bytes: event.payload,
    recordedAt: sampleTime(number),
  });
  await stores.jobs.insert({ ...jobOf(organisationId), id: `0${number} ${organisationId}`, kind: 'replay' });
}

const jobOf = (organisationId: string) => ({
  id: `00 ${organisationId}`,
  organisationId,
  kind: 'erasure' as const,
  spec: writeErasureTarget({ kind: 'organisation' }),
  counts: {},
  createdBy: 'operator',
  createdAt: sampleTime(9),
});

/** The whole job, a few rows at a time. */
async function erase(stores: Stores, organisationId: string): Promise<void> {
  const { erasures, events, tasks, troubles, jobs } = stores;
  const clock = new FakeClock();
  const random = createSeededRandom(1);
  const { deliveries } = createFeedHorizons({
    store: stores.deliveries,
    feeds: stores.feeds,
    held: () => [],
    isExclusive: true,
    clock,
  });
  const job = createErasureJob({
    store: erasures,
    tombstones: createTombstones({ store: erasures, isExclusive: true, clock, random }),
    eraser: { erase: () => Promise.reject(new Error('Its events go as a whole.')) },
    events,
    deliveries,
    tasks,
    troubles,
    jobs,
    settleMs: 0,
  });
  let present: Job = await jobs.insert(jobOf(organisationId));
  for (let isDone = false; !isDone;) {
    const step = await job.step(present, { limit: 2, signal: new AbortController().signal });
    present = { ...present, cursor: step.cursor, counts: step.counts };
    ({ isDone } = step);
  }
}
