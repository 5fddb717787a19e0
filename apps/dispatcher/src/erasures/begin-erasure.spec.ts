import { silentLogger, systemRandom } from '@posthorn/runtime';
import { FakeClock } from '@posthorn/testing';
import type { Job, NewJob } from '../jobs/job-store.ts';
import { createErasureBeginner } from './begin-erasure.ts';

const organisationId = 'acme';

function setUp() {
  const inserted: NewJob[] = [];
  const beginner = createErasureBeginner({
    jobs: {
      insert(job) {
        inserted.push(job);
        return Promise.resolve(asJob(job));
      },
      list: (filter) =>
        Promise.resolve({
          items: inserted
            .filter((job) => job.organisationId === filter.organisationId)
            .map(asJob)
            .reverse(),
          nextCursor: '',
        }),
    },
    runner: { look: () => Promise.reject(new Error('the store is away')) },
    clock: new FakeClock(),
    random: systemRandom,
    logger: silentLogger,
  });
  return { inserted, beginner };
}

function asJob(job: NewJob): Job {
  const untouched = { state: 'pending', error: null, cursor: '', startedAt: null, finishedAt: null } as const;
  return { ...job, ...untouched, cancelRequestedAt: null } as Partial<Job> as Job;
}

describe('what an organisation that is no more has left', () => {
  it('is erased by one job, however often it is noticed', async () => {
    const { inserted, beginner } = setUp();
    await beginner.beginForGone(organisationId, 'dispatcher');
    await beginner.beginForGone(organisationId, 'dispatcher');
    expect(inserted).toMatchObject([
      { organisationId, kind: 'erasure', spec: '{"kind":"organisation"}', createdBy: 'dispatcher' },
    ]);
  });

  it('is erased also where single events had been erased before', async () => {
    const { inserted, beginner } = setUp();
    await beginner.begin(beginner.newJob(organisationId, { kind: 'event', eventId: 'one' }, 'someone'));
    await beginner.beginForGone(organisationId, 'dispatcher');
    expect(inserted.map(({ spec }) => spec)).toEqual([expect.any(String), '{"kind":"organisation"}']);
  });

  it("is left to the erasure that the organisation's deletion has asked for", async () => {
    const { inserted, beginner } = setUp();
    await beginner.begin(beginner.newJob(organisationId, { kind: 'organisation' }, 'operator'));
    await beginner.beginForGone(organisationId, 'dispatcher');
    expect(inserted).toHaveLength(1);
  });
});
