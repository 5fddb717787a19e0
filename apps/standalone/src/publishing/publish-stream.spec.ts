import { createSeededRandom, FakeClock } from '@posthorn/testing';
import type { ApiClient } from '../client/api-client.ts';
import { ApiError, UnreachableError, type Problem } from '../client/api-error.ts';
import {
  publishStream,
  type NumberedEvent,
  type PublishOutcome,
  type PublishStreamOptions,
} from './publish-stream.ts';
import type { AcceptedEvent } from '../client/resources.ts';

interface SentEvent {
  readonly id: string;
}

/** Answers a batch; what it throws is the batch's failure. */
type Answer = (events: readonly SentEvent[], call: number) => readonly (AcceptedEvent | Problem)[];

const accepted = ({ id }: SentEvent, duplicate = false): AcceptedEvent => ({
  id,
  type: 't',
  acceptedAt: '2026-01-01T00:00:00.000Z',
  duplicate,
});
const acceptAll: Answer = (events) => events.map((event) => accepted(event));
const unavailable: Problem = { status: 503, code: 'unavailable', detail: 'Try again.' };

function createSubject(answer: Answer, overrides: Partial<PublishStreamOptions> = {}) {
  const batches: string[][] = [];
  const outcomes: PublishOutcome[] = [];
  const clock = new FakeClock();
  let underWay = 0;
  let mostUnderWay = 0;
  const api: Pick<ApiClient, 'send'> = {
    async send<T>(_method: string, _path: string, options: { body?: unknown } = {}) {
      const { events } = JSON.parse(String(options.body)) as { events: SentEvent[] };
      batches.push(events.map(({ id }) => id));
      const call = batches.length;
      underWay += 1;
      mostUnderWay = Math.max(mostUnderWay, underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      return { data: answer(events, call) } as T;
    },
  };
  const options: PublishStreamOptions = {
    api,
    clock,
    random: createSeededRandom(1),
    signal: new AbortController().signal,
    maxBatchItems: 3,
    maxBatchBytes: 1_000,
    concurrency: 2,
    giveUpAfterMs: 60_000,
    onOutcome: (outcome) => outcomes.push(outcome),
    ...overrides,
  };
  return { batches, outcomes, clock, options, mostUnderWay: () => mostUnderWay };
}

function events(count: number, isKeyed = false): NumberedEvent[] {
  return Array.from({ length: count }, (_, index) => {
    const json = JSON.stringify({ id: `e${index + 1}`, type: 't', data: index });
    return { json, isKeyed, line: index + 1, input: json };
  });
}

const ids = (outcomes: readonly PublishOutcome[], kind: PublishOutcome['kind']): string[] =>
  outcomes.filter((outcome) => outcome.kind === kind).map(({ event }) => `e${event.line}`);

/** Lets time pass until the promise is settled. */
async function withTime<T>(clock: FakeClock, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const settled = promise.finally(() => {
    isSettled = true;
  });
  settled.catch(() => undefined);
  while (!isSettled) await clock.advanceAsync(1_000);
  return settled;
}

test('events are sent in batches of the asked size, no more of them at a time than asked', async () => {
  const subject = createSubject(acceptAll);
  await publishStream(events(20), subject.options);
  expect(subject.batches.map(({ length }) => length)).toEqual([3, 3, 3, 3, 3, 3, 2]);
  expect(subject.mostUnderWay()).toBe(2);
  expect(ids(subject.outcomes, 'accepted')).toHaveLength(20);
});

test('a batch is ended by its bytes too', async () => {
  const subject = createSubject(acceptAll, { maxBatchItems: 100, maxBatchBytes: 80 });
  await publishStream(events(6), subject.options);
  expect(subject.batches.map(({ length }) => length)).toEqual([2, 2, 2]);
});

test('what the API could not take is sent again with the same ids, and only that', async () => {
  const subject = createSubject((sent, call) =>
    sent.map((event) => (call === 1 && event.id === 'e2' ? unavailable : accepted(event))),
  );
  await withTime(subject.clock, publishStream(events(3), subject.options));
  expect(subject.batches).toEqual([['e1', 'e2', 'e3'], ['e2']]);
  expect(ids(subject.outcomes, 'accepted')).toEqual(['e1', 'e3', 'e2']);
});

test('a broken connection is tried again once the API has been there', async () => {
  const subject = createSubject(
    (sent, call) => {
      if (call === 2) throw new UnreachableError('http://x', 'it went away', refusedConnection());
      return acceptAll(sent, call);
    },
    { concurrency: 1 },
  );
  await withTime(subject.clock, publishStream(events(6), subject.options));
  expect(subject.batches).toEqual([
    ['e1', 'e2', 'e3'],
    ['e4', 'e5', 'e6'],
    ['e4', 'e5', 'e6'],
  ]);
});

test('nobody at the address ends it at once', async () => {
  const subject = createSubject(() => {
    throw new UnreachableError('http://x', 'nothing listens there', refusedConnection());
  });
  await expect(publishStream(events(3), subject.options)).rejects.toThrow('nothing listens there');
  expect(subject.batches).toHaveLength(1);
});

test('gives up when the API stays away for too long, and tells why', async () => {
  const subject = createSubject(
    () => {
      throw new ApiError(unavailable);
    },
    { giveUpAfterMs: 10_000 },
  );
  await expect(withTime(subject.clock, publishStream(events(1), subject.options))).rejects.toThrow(
    'Try again.',
  );
  expect(subject.batches.length).toBeGreaterThan(3);
  expect(subject.clock.monotonic()).toBeLessThan(20_000);
});

test('waits as long as Retry-After asks', async () => {
  const subject = createSubject((sent, call) => {
    if (call === 1) throw new ApiError(unavailable, 30_000);
    return acceptAll(sent, call);
  });
  await withTime(subject.clock, publishStream(events(1), subject.options));
  expect(subject.clock.monotonic()).toBeGreaterThanOrEqual(30_000);
});

test('an id that was minted here is no duplicate when an earlier try had arrived; a producer’s own is', async () => {
  const duplicate: Answer = (sent) => sent.map((event) => accepted(event, true));
  for (const isKeyed of [false, true]) {
    const subject = createSubject(duplicate);
    await publishStream(events(1, isKeyed), subject.options);
    expect(subject.outcomes).toEqual([
      expect.objectContaining({ answer: expect.objectContaining({ duplicate: isKeyed }) }),
    ]);
  }
});

test('an event that spoils its batch is found, and refused alone', async () => {
  const tooLarge: Problem = { status: 413, code: 'payload_too_large', detail: 'Too large.' };
  const subject = createSubject(
    (sent, call) => {
      if (sent.some(({ id }) => id === 'e5')) throw new ApiError(tooLarge);
      return acceptAll(sent, call);
    },
    { maxBatchItems: 8 },
  );
  await publishStream(events(8), subject.options);
  expect(ids(subject.outcomes, 'refused')).toEqual(['e5']);
  expect(ids(subject.outcomes, 'accepted').sort()).toEqual(['e1', 'e2', 'e3', 'e4', 'e6', 'e7', 'e8']);
});

test('a refusal of the key ends it, after what was under way', async () => {
  const subject = createSubject(() => {
    throw new ApiError({ status: 401, code: 'unauthenticated', detail: 'The API key is not valid.' });
  });
  await expect(publishStream(events(100), subject.options)).rejects.toThrow('not valid');
  expect(subject.batches.length).toBeLessThanOrEqual(3);
});

test('an answer without a result for an event counts as not known', async () => {
  const subject = createSubject((sent, call) => (call === 1 ? [] : acceptAll(sent, call)));
  await withTime(subject.clock, publishStream(events(2), subject.options));
  expect(subject.batches).toEqual([
    ['e1', 'e2'],
    ['e1', 'e2'],
  ]);
});

test('Ctrl-C starts nothing new and lets what is under way end', async () => {
  const controller = new AbortController();
  const subject = createSubject(
    (sent, call) => {
      controller.abort();
      return acceptAll(sent, call);
    },
    { signal: controller.signal, concurrency: 1 },
  );
  await publishStream(events(100), subject.options);
  expect(subject.batches).toHaveLength(1);
  expect(ids(subject.outcomes, 'accepted')).toHaveLength(3);
});

test('a source that fails ends it with that failure, after what was under way', async () => {
  const subject = createSubject(acceptAll);
  function* broken(): Generator<NumberedEvent> {
    yield* events(3);
    throw new Error('the disk is gone');
  }
  await expect(publishStream(broken(), subject.options)).rejects.toThrow('the disk is gone');
});

function refusedConnection(): Error {
  return Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
}
