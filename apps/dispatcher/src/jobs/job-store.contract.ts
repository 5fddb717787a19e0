import type { Job, JobEpoch, JobStore, NewJob } from './job-store.ts';
import { sampleTime } from '../deliveries/sample-deliveries.ts';

export interface JobStoreUnderTest {
  readonly jobs: JobStore;
  close(): Promise<void>;
}

function sampleJob(number: number, over: Partial<NewJob> = {}): NewJob {
  return {
    id: `0${String(number).padStart(4, '0')}-job`,
    organisationId: 'org',
    kind: 'replay',
    spec: '{"endpoint":"shop"}',
    counts: { total: 7 },
    createdBy: 'key',
    createdAt: sampleTime(number),
    ...over,
  };
}

/** What every adapter of the job store guarantees. */
export function describeJobStore(name: string, open: () => Promise<JobStoreUnderTest>): void {
  describe(`${name} keeps the contract of the job store`, () => {
    let subject: JobStoreUnderTest;
    let jobs: JobStore;
    beforeEach(async () => {
      subject = await open();
      ({ jobs } = subject);
    });
    afterEach(() => subject.close());

    async function read({ organisationId, id }: Pick<Job, 'organisationId' | 'id'>): Promise<Job> {
      const job = await jobs.get(organisationId, id);
      if (job === null) throw new Error(`there is no job ${id}`);
      return job;
    }

    async function take(seen: Job, owner: string): Promise<Job> {
      const taken = await jobs.take(seen, owner, sampleTime(50));
      if (taken === null) throw new Error(`${owner} did not get job ${seen.id}`);
      return taken;
    }

    it('gives a job back as it was put on record, waiting for somebody to take it', async () => {
      const job = await jobs.insert(sampleJob(1));

      expect(job).toEqual({
        ...sampleJob(1),
        state: 'pending',
        cursor: '',
        startedAt: null,
        finishedAt: null,
        error: null,
        owner: null,
        epoch: 0,
        beat: 0,
      });
      expect(await jobs.get('org', job.id)).toEqual(job);
      expect(await jobs.get('other', job.id)).toBeNull();
      expect(await jobs.get('org', 'unknown')).toBeNull();
    });

    it('keeps the job that is there when one with its id is put on record', async () => {
      const job = await jobs.insert(sampleJob(1));

      expect(await jobs.insert(sampleJob(1, { spec: '{}' }))).toEqual(job);
    });

    it('lists the jobs of an organisation and a kind, newest first, page by page', async () => {
      for (const number of [3, 1, 4, 2, 5]) await jobs.insert(sampleJob(number));
      await jobs.insert(sampleJob(6, { kind: 'erasure' }));
      await jobs.insert(sampleJob(7, { organisationId: 'other' }));
      await jobs.cancel('org', sampleJob(4).id, sampleTime(9));

      const all = { organisationId: 'org', kind: 'replay' } as const;
      const first = await jobs.list(all, { limit: 3, cursor: '' });
      const second = await jobs.list(all, { limit: 3, cursor: first.nextCursor });
      expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(
        [5, 4, 3, 2, 1].map((number) => sampleJob(number).id),
      );
      expect(second.nextCursor).toBe('');
      const cancelled = await jobs.list({ ...all, states: ['cancelled'] }, { limit: 3, cursor: '' });
      expect(cancelled.items.map(({ id }) => id)).toEqual([sampleJob(4).id]);
    });

    it('knows whose jobs are open, and which, oldest first', async () => {
      for (const organisationId of ['b', 'a', 'c']) {
        const number = organisationId.charCodeAt(0);
        for (const more of [0, 1, 2]) await jobs.insert(sampleJob(10 * number + more, { organisationId }));
      }
      await jobs.insert(sampleJob(9999, { organisationId: 'b', kind: 'erasure' }));
      for (const { id } of await jobs.open('c', 10)) await jobs.cancel('c', id, sampleTime(9));
      const oldest = await jobs.open('a', 1);
      expect(oldest.map(({ id }) => id)).toEqual([sampleJob(970).id]);
      for (const job of oldest) {
        await jobs.finish(await take(job, 'me'), { state: 'failed', error: 'why', at: sampleTime(9) });
      }

      expect(await jobs.openOrganisations('', 10)).toEqual(['a', 'b']);
      expect(await jobs.openOrganisations('', 1)).toEqual(['a']);
      expect(await jobs.openOrganisations('a', 10)).toEqual(['b']);
      expect((await jobs.open('a', 10)).map(({ id }) => id)).toEqual([sampleJob(971).id, sampleJob(972).id]);
      expect(await jobs.countOpen('b', 'replay', 10)).toBe(3);
      expect(await jobs.countOpen('b', 'replay', 2)).toBe(2);
      expect(await jobs.countOpen('b', 'erasure', 10)).toBe(1);
      expect(await jobs.countOpen('c', 'replay', 10)).toBe(0);
    });

    it('gives a job to exactly one of those who saw it, and it is running then', async () => {
      await jobs.insert(sampleJob(1));
      for (const round of [1, 2]) {
        const seen = await read(sampleJob(1));
        const owners = ['a', 'b', 'c', 'd'];
        const taken = await Promise.all(
          owners.map((owner) => jobs.take(seen, owner, sampleTime(50 + round))),
        );
        expect(taken.filter((job) => job !== null)).toHaveLength(1);
        const stands = await read(seen);
        expect(taken).toContainEqual(stands);
        // It started when it was taken first.
        expect(stands).toMatchObject({ state: 'running', epoch: round, startedAt: sampleTime(51) });
        expect(stands.beat).toBeGreaterThan(seen.beat);
        if (round === 1) await jobs.giveBack(stands);
      }
    });

    it('gives nobody a job that showed a sign of life since it was seen', async () => {
      const held = await take(await jobs.insert(sampleJob(1)), 'a');
      expect(await jobs.renew([held])).toEqual(new Set([held.id]));
      expect(await jobs.take(held, 'b', sampleTime(60))).toBeNull();
      const renewed = await read(held);
      await jobs.save(held, { cursor: 'x', counts: {} });
      expect(await jobs.take(renewed, 'b', sampleTime(60))).toBeNull();
      expect(await jobs.take(await read(held), 'b', sampleTime(60))).toMatchObject({ owner: 'b', epoch: 2 });
    });

    it('keeps how far a job has come, for the next owner', async () => {
      const held = await take(await jobs.insert(sampleJob(1)), 'a');
      const progress = { cursor: 'here', counts: { total: 7, done: 3 } };
      expect(await jobs.save(held, progress)).toMatchObject({ ...progress, state: 'running', owner: 'a' });
      await jobs.giveBack(held);
      expect(await take(await read(held), 'b')).toMatchObject({ ...progress, owner: 'b', epoch: 2 });
    });

    it('changes nothing for those whose epoch stands no longer', async () => {
      const old: JobEpoch = await take(await jobs.insert(sampleJob(1)), 'a');
      const kept = await take(await jobs.insert(sampleJob(2)), 'a');
      const stands = await take(await read(sampleJob(1)), 'b');

      expect(await jobs.save(old, { cursor: 'late', counts: {} })).toBeNull();
      expect(await jobs.finish(old, { state: 'failed', error: 'late', at: sampleTime(9) })).toBe(false);
      await jobs.giveBack(old);
      expect(await jobs.renew([old, kept])).toEqual(new Set([kept.id]));
      expect(await read(stands)).toEqual(stands);
    });

    it('ends a job once', async () => {
      const held = await take(await jobs.insert(sampleJob(1)), 'a');
      const end = { state: 'failed', error: 'It could not be done.', at: sampleTime(60) } as const;

      expect(await jobs.finish(held, end)).toBe(true);
      expect(await read(held)).toMatchObject({
        state: 'failed',
        error: 'It could not be done.',
        finishedAt: sampleTime(60),
        owner: null,
      });
      expect(await jobs.finish(held, { ...end, state: 'succeeded', at: sampleTime(61) })).toBe(false);
      expect(await jobs.cancel('org', held.id, sampleTime(61))).toBeNull();
      expect(await jobs.take(await read(held), 'b', sampleTime(61))).toBeNull();
      expect(await jobs.open('org', 10)).toEqual([]);
    });

    it('cancels what has not begun, and nobody takes it up', async () => {
      const job = await jobs.insert(sampleJob(1));
      const cancelled = await jobs.cancel('org', job.id, sampleTime(9));
      expect(cancelled).toMatchObject({ state: 'cancelled', finishedAt: sampleTime(9), startedAt: null });
      expect(await jobs.take(job, 'a', sampleTime(10))).toBeNull();
      expect(await jobs.cancel('org', 'unknown', sampleTime(9))).toBeNull();
      expect(await jobs.cancel('other', job.id, sampleTime(9))).toBeNull();
    });

    it('tells the owner of a cancelled job when it saves, and counts what it had done', async () => {
      const held = await take(await jobs.insert(sampleJob(1)), 'a');
      await jobs.cancel('org', held.id, sampleTime(60));

      expect(await jobs.renew([held])).toEqual(new Set());
      const saved = await jobs.save(held, { cursor: 'here', counts: { done: 3 } });
      expect(saved).toMatchObject({ state: 'cancelled', counts: { done: 3 } });
      expect(await jobs.finish(held, { state: 'succeeded', error: null, at: sampleTime(61) })).toBe(false);
      expect(await read(held)).toMatchObject({ state: 'cancelled', finishedAt: sampleTime(60) });
    });

    it('forgets what ended before a time, some at once, and nothing that is open', async () => {
      for (const number of [1, 2, 3, 4]) await jobs.insert(sampleJob(number));
      for (const number of [1, 2, 3]) await jobs.cancel('org', sampleJob(number).id, sampleTime(10 + number));
      await jobs.insert(sampleJob(5, { organisationId: 'other' }));

      const old = { organisationId: 'org', kind: 'replay' } as const;
      expect(await jobs.organisations('', 10)).toEqual(['org', 'other']);
      expect(await jobs.sweep({ ...old, kind: 'erasure', before: sampleTime(99), limit: 10 })).toBe(0);
      expect(await jobs.organisations('org', 10)).toEqual(['other']);
      expect(await jobs.sweep({ ...old, before: sampleTime(13), limit: 1 })).toBe(1);
      expect(await jobs.sweep({ ...old, before: sampleTime(13), limit: 10 })).toBe(1);
      expect(await jobs.sweep({ ...old, before: sampleTime(99), limit: 10 })).toBe(1);
      expect(await jobs.sweep({ ...old, before: sampleTime(99), limit: 10 })).toBe(0);
      const left = await jobs.list({ organisationId: 'org', kind: 'replay' }, { limit: 10, cursor: '' });
      expect(left.items.map(({ id }) => id)).toEqual([sampleJob(4).id]);
    });
  });
}
