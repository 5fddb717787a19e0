import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DomainError } from '@posthorn/models';
import { createMetrics, silentLogger } from '@posthorn/runtime';
import { openSqlite } from '@posthorn/sqlite';
import { createSeededRandom, FakeClock } from '@posthorn/testing';
import { createJobRunner, type JobHandler, type JobLimits, type JobRunner } from './job-runner.ts';
import type { Job, JobStore } from './job-store.ts';
import { createSqliteJobStore, jobMigrations } from './job-store.sqlite.ts';
import { sampleTime } from '../deliveries/sample-deliveries.ts';

const termMs = 10_000;
const noLimits: JobLimits = { pagesAtOnce: 100, pageItems: 10, ofEachOrganisation: 16, atOnce: 100 };

describe('the job runner', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-job-runner-'));
  let clock: FakeClock;
  let jobs: JobStore;
  let seed = 1;
  let count = 0;
  let runners: JobRunner[] = [];
  let close: () => Promise<void>;
  beforeEach(() => {
    clock = new FakeClock();
    count += 1;
    const database = openSqlite({ path: join(directory, `${count}.db`), migrations: [jobMigrations] });
    jobs = { ...createSqliteJobStore(database), isExclusive: false };
    close = () => database.close();
  });
  afterEach(async () => {
    await Promise.all(runners.map((runner) => runner.stop(AbortSignal.abort())));
    runners = [];
    await close();
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  function runner(handler: JobHandler, limits = noLimits, store = jobs): JobRunner {
    seed += 1;
    const made = createJobRunner({
      jobs: store,
      handlers: { replay: handler },
      clock,
      random: createSeededRandom(seed),
      logger: silentLogger,
      metrics: createMetrics(),
      termMs,
      limits,
    });
    runners.push(made);
    return made;
  }

  function insert(id: string, organisationId = 'org'): Promise<Job> {
    return jobs.insert({
      id,
      organisationId,
      kind: 'replay',
      spec: '{}',
      counts: { total: 25 },
      createdBy: 'key',
      createdAt: sampleTime(1),
    });
  }

  const read = async (id: string, organisationId = 'org'): Promise<Job | null> =>
    jobs.get(organisationId, id);

  /** Counts to 25, and tells whoever asks where each page began. */
  function counting(began: number[] = [], total = 25): JobHandler {
    return {
      step: async ({ cursor }, { limit }) => {
        const from = Number(cursor);
        began.push(from);
        const worked = Math.min(limit, total - from);
        const done = from + worked;
        return { cursor: String(done), counts: { total, done }, worked, isDone: done === total };
      },
    };
  }

  /** Goes on looking as a dispatcher does, for so long on the fake clock. */
  async function pass(ms: number, ...looking: JobRunner[]): Promise<void> {
    for (let passed = 0; passed < ms; passed += 500) {
      for (const one of looking) void one.look();
      await clock.advanceAsync(500);
      // What the database still writes takes turns of the real event loop.
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    }
  }

  it('works on a job page by page, each from where the last one ended', async () => {
    const began: number[] = [];
    await insert('1');
    await pass(500, runner(counting(began)));

    expect(began).toEqual([0, 10, 20]);
    expect(await read('1')).toMatchObject({
      state: 'succeeded',
      counts: { total: 25, done: 25 },
      finishedAt: expect.any(Date),
      error: null,
      owner: null,
    });
  });

  it('lets one of several runners work on a job', async () => {
    const began: number[] = [];
    const several = [1, 2, 3].map(() => runner(counting(began)));
    await insert('1');
    await pass(1000, ...several);

    expect(began).toEqual([0, 10, 20]);
  });

  it('goes on after a crash from where the last page ended, once the term has passed', async () => {
    let isFrozen = false;
    const late: (() => void)[] = [];
    const steady = counting([]);
    const dying = runner(
      {
        async step(job, page) {
          if (job.cursor === '10') isFrozen = true;
          if (isFrozen) await new Promise<void>((resolve) => late.push(resolve));
          return steady.step(job, page);
        },
      },
      noLimits,
      {
        ...jobs,
        // A frozen process renews nothing.
        renew: (held) => (isFrozen ? new Promise(() => undefined) : jobs.renew(held)),
      },
    );
    await insert('1');
    await pass(500, dying);
    expect(await read('1')).toMatchObject({ state: 'running', cursor: '10' });

    const began: number[] = [];
    const next = runner(counting(began));
    await pass(termMs, next);
    expect(began).toEqual([]);
    await pass(termMs / 2, next);
    expect(began).toEqual([10, 20]);
    const ended = await read('1');
    expect(ended).toMatchObject({ state: 'succeeded', epoch: 2 });
    // What the old one writes late changes nothing.
    for (const resume of late) resume();
    await pass(1000, dying);
    expect(await read('1')).toEqual(ended);
  });

  it('keeps a job whose page takes longer than the term', async () => {
    const began: number[] = [];
    const steady = counting(began);
    const slow = runner({
      async step(job, page) {
        await new Promise<void>((resolve) => clock.setTimeout(resolve, 3 * termMs));
        return steady.step(job, page);
      },
    });
    await insert('1');
    await pass(500, slow);
    await pass(12 * termMs, slow, runner(counting(began)));

    expect(began).toEqual([0, 10, 20]);
    expect(await read('1')).toMatchObject({ state: 'succeeded', epoch: 1 });
  });

  it('gives its jobs back when it stops, so that another goes on at once', async () => {
    const began: number[] = [];
    const rated = { ...counting(began), perSecond: () => 4 };
    const first = runner(rated);
    await insert('1');
    await pass(5000, first);
    await first.stop(new AbortController().signal);
    const before = began.length;
    expect(before).toBeGreaterThan(3);
    await pass(500, runner(counting(began)));

    expect(began.slice(before)).toEqual([before]);
    expect(await read('1')).toMatchObject({ state: 'succeeded', epoch: 2 });
  });

  it('begins no page of a job that was cancelled, and counts what the page under way has done', async () => {
    const began: number[] = [];
    const steady = counting(began);
    let finishPage: () => void = () => undefined;
    const one = runner({
      async step(job, page) {
        const step = await steady.step(job, page);
        if (job.cursor === '10') await new Promise<void>((resolve) => (finishPage = resolve));
        return step;
      },
    });
    await insert('1');
    await pass(500, one);
    await jobs.cancel('org', '1', sampleTime(9));
    finishPage();
    await pass(1000, one);

    expect(began).toEqual([0, 10]);
    expect(await read('1')).toMatchObject({ state: 'cancelled', counts: { done: 20 } });
  });

  it('begins no page of a job that was cancelled while it waited for its rate', async () => {
    const began: number[] = [];
    const one = runner({ ...counting(began), perSecond: () => 0.1 });
    await insert('1');
    await pass(500, one);
    await jobs.cancel('org', '1', sampleTime(9));
    await pass(60_000, one);

    expect(began).toEqual([0]);
    expect(await read('1')).toMatchObject({ state: 'cancelled', counts: { done: 1 } });
  });

  it('keeps to the rate of a job', async () => {
    const times: number[] = [];
    const steady = counting([], 1000);
    const one = runner({
      async step(job, page) {
        const step = await steady.step(job, page);
        for (let item = 0; item < step.worked; item++) times.push(clock.monotonic());
        return step;
      },
      perSecond: () => 20,
    });
    await insert('1');
    await pass(30_000, one);

    expect(times.length).toBeGreaterThan(550);
    for (const [index, at] of times.entries()) {
      const withinASecond = times.slice(index).filter((other) => other < at + 1000).length;
      expect(withinASecond).toBeLessThanOrEqual(25);
    }
  });

  it('tries a page again while something is away, and goes on when it is back', async () => {
    const began: number[] = [];
    const steady = counting(began);
    let isAway = true;
    const one = runner({
      step: (job, page) =>
        isAway
          ? Promise.reject(new DomainError('unavailable', 'The database is away.'))
          : steady.step(job, page),
    });
    await insert('1');
    await pass(120_000, one);
    expect(await read('1')).toMatchObject({ state: 'running', cursor: '' });
    isAway = false;
    await pass(60_000, one);

    expect(began).toEqual([0, 10, 20]);
    expect(await read('1')).toMatchObject({ state: 'succeeded' });
  });

  it('fails a job that can not be done, with the reason, and at once', async () => {
    let tries = 0;
    const one = runner({
      step: () => {
        tries += 1;
        return Promise.reject(new DomainError('failed_precondition', 'The endpoint was deleted.'));
      },
    });
    await insert('1');
    await pass(1000, one);

    expect(tries).toBe(1);
    expect(await read('1')).toMatchObject({ state: 'failed', error: 'The endpoint was deleted.' });
  });

  it('gives a job up that fails again and again by our own fault, and says no more than that', async () => {
    const one = runner({ step: () => Promise.reject(new Error('secret detail')) });
    await insert('1');
    await pass(400_000, one);

    const job = await read('1');
    expect(job).toMatchObject({ state: 'failed' });
    expect(job?.error).not.toContain('secret');
  });

  it("lets no organisation's jobs hold another's up", async () => {
    const began: string[] = [];
    const one = runner(
      {
        async step({ id, cursor }) {
          began.push(id);
          await new Promise<void>((resolve) => clock.setTimeout(resolve, 100));
          const done = Number(cursor) + 1;
          return { cursor: String(done), counts: { done }, worked: 1, isDone: done === 5 };
        },
      },
      { ...noLimits, pagesAtOnce: 1 },
    );
    for (let number = 0; number < 10; number++) await insert(`a${number}`, 'a');
    await insert('b', 'b');
    await pass(20_000, one);

    // From where it began, every other turn is b's, until it has ended.
    expect(began.lastIndexOf('b') - began.indexOf('b')).toBeLessThanOrEqual(10);
    expect(began.indexOf('b')).toBeLessThan(10);
    expect(began).toHaveLength(55);
  });

  it('works on jobs of the kinds it knows, and leaves others alone', async () => {
    const made = await jobs.insert({
      id: '1',
      organisationId: 'org',
      kind: 'erasure',
      spec: '{}',
      counts: {},
      createdBy: 'key',
      createdAt: sampleTime(1),
    });
    await pass(1000, runner(counting([])));

    expect(await read('1')).toEqual(made);
  });
});
