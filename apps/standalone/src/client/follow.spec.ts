import { FakeClock } from '@posthorn/testing';
import { ApiError, UnreachableError } from './api-error.ts';
import { follow, type FollowOptions } from './follow.ts';

interface Item {
  readonly id: string;
  readonly at: number;
}

const start = Date.parse('2026-01-01T00:00:00.000Z');

/** A list that grows, as the API gives it: newest first, after a moment. */
function createSubject(overrides: Partial<FollowOptions<Item>> = {}) {
  const clock = new FakeClock(start);
  const controller = new AbortController();
  const items: Item[] = [];
  const given: string[] = [];
  const failures: Error[] = [];
  const options: FollowOptions<Item> = {
    async *newest(after) {
      const failure = failures.shift();
      if (failure) throw failure;
      const found = items.filter(({ at }) => at > Date.parse(after)).toSorted((a, b) => b.at - a.at);
      for (const item of found) yield await Promise.resolve(item);
    },
    idOf: ({ id }) => id,
    timeOf: ({ at }) => new Date(at).toISOString(),
    since: new Date(start).toISOString(),
    clock,
    signal: controller.signal,
    ...overrides,
  };
  const ended = (async () => {
    for await (const { id } of follow(options)) given.push(id);
  })();
  return {
    clock,
    given,
    failures,
    add: (id: string, atMs: number) => items.push({ id, at: start + atMs }),
    async stop() {
      controller.abort();
      await ended;
    },
    ended,
  };
}

test('gives each item once, oldest first', async () => {
  const subject = createSubject();
  subject.add('a', 100);
  subject.add('b', 200);
  await subject.clock.advanceAsync(1_000);
  subject.add('c', 1_100);
  await subject.clock.advanceAsync(3_000);
  await subject.stop();
  expect(subject.given).toEqual(['a', 'b', 'c']);
});

test('gives nothing of what was there before', async () => {
  const subject = createSubject();
  subject.add('old', -100);
  await subject.clock.advanceAsync(2_000);
  await subject.stop();
  expect(subject.given).toEqual([]);
});

test('gives an item that becomes visible after a younger one', async () => {
  const subject = createSubject();
  subject.add('young', 900);
  await subject.clock.advanceAsync(1_000);
  subject.add('late', 500);
  await subject.clock.advanceAsync(2_000);
  await subject.stop();
  expect(subject.given).toEqual(['young', 'late']);
});

test('leaves out what is more than a round takes, and says so', async () => {
  const onSkipped = jest.fn();
  const subject = createSubject({ maxPerRound: 10, onSkipped });
  for (let n = 0; n < 30; n += 1) subject.add(`i${n}`, n);
  await subject.clock.advanceAsync(1_000);
  await subject.stop();
  expect(subject.given).toEqual(['i20', 'i21', 'i22', 'i23', 'i24', 'i25', 'i26', 'i27', 'i28', 'i29']);
  expect(onSkipped).toHaveBeenCalled();
});

test('goes on when the API was away for a while, without a gap', async () => {
  const onAway = jest.fn();
  const subject = createSubject({ onAway });
  subject.failures.push(new UnreachableError('http://x', 'it is away'));
  subject.add('a', 100);
  await subject.clock.advanceAsync(3_000);
  await subject.stop();
  expect(onAway).toHaveBeenCalledTimes(1);
  expect(subject.given).toEqual(['a']);
});

test('ends when the API refuses', async () => {
  const subject = createSubject();
  subject.failures.push(new ApiError({ status: 403, code: 'permission_denied', detail: 'No.' }));
  const [ended] = await Promise.allSettled([subject.ended, subject.clock.advanceAsync(1_000)]);
  expect(ended).toMatchObject({ status: 'rejected', reason: { exitCode: 3 } });
});

test('remembers no more than what it will see again', async () => {
  const seen: number[] = [];
  const subject = createSubject({ overlapMs: 1_000, idOf: ({ id }) => (seen.push(1), id) });
  for (let n = 1; n < 100; n += 1) {
    subject.add(`i${n}`, n * 1_000);
    await subject.clock.advanceAsync(1_000);
  }
  await subject.stop();
  expect(subject.given).toHaveLength(99);
  // One look for a new item, one to keep it, and one or two again while it is within the overlap.
  expect(seen.length).toBeLessThan(99 * 5);
});
