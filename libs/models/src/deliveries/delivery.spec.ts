import type { AttemptOutcome } from './attempt.ts';
import { dialectRules } from '../dialect.ts';
import { isFinal, isWaiting, nextState, slowsDown, type Delivery, type Outcome } from './delivery.ts';

type Before = Parameters<typeof nextState>[0];

const now = new Date('2025-06-15T12:00:00Z');
const circumstances = { now, jitter: 0.5, retryDelaysMs: [1000, 60_000] };
const earlier = new Date('2025-06-14T12:00:00Z');

const fresh: Before = { state: 'pending', reason: null, attempts: 0, finishedAt: null, trigger: 'schedule' };
const success: Outcome = { kind: 'success', status: 200, retryAfterMs: null };
const answer = (status: number, retryAfterMs: number | null = null): Outcome => ({
  kind: 'http_error',
  status,
  retryAfterMs,
});
const failure = (kind: AttemptOutcome): Outcome => ({ kind, status: null, retryAfterMs: null });
const after = (ms: number): Date => new Date(now.getTime() + ms);

describe('a delivery that has not ended', () => {
  it('succeeds with a 2xx answer, at any attempt', () => {
    for (const attempts of [0, 2, 7]) {
      expect(nextState({ ...fresh, attempts }, success, circumstances)).toEqual({
        state: 'succeeded',
        reason: null,
        attempts: attempts + 1,
        nextAttemptAt: null,
        finishedAt: now,
        trigger: 'schedule',
        disableEndpoint: null,
      });
    }
  });

  it('waits for the delays of its schedule one after the other, and is exhausted when they are used up', () => {
    const first = nextState(fresh, answer(500), circumstances);
    expect(first).toMatchObject({
      state: 'retrying',
      attempts: 1,
      nextAttemptAt: after(1000),
      finishedAt: null,
    });
    const second = nextState({ ...fresh, ...first }, failure('timeout'), circumstances);
    expect(second).toMatchObject({ state: 'retrying', attempts: 2, nextAttemptAt: after(60_000) });
    const third = nextState({ ...fresh, ...second }, failure('refused'), circumstances);
    expect(third).toMatchObject({
      state: 'exhausted',
      reason: 'attempts_exhausted',
      attempts: 3,
      nextAttemptAt: null,
      finishedAt: now,
    });
  });

  it('has a single attempt when the schedule is empty', () => {
    const change = nextState(fresh, answer(500), { ...circumstances, retryDelaysMs: [] });
    expect(change).toMatchObject({ state: 'exhausted', attempts: 1 });
  });

  it('takes a redirect for a failure', () => {
    expect(nextState(fresh, answer(302), circumstances).state).toBe('retrying');
  });

  it('fails at once with a 410, which disables the endpoint', () => {
    expect(nextState(fresh, answer(410), circumstances)).toMatchObject({
      state: 'failed',
      reason: 'gone',
      nextAttemptAt: null,
      disableEndpoint: 'gone',
    });
  });

  it('fails at once when the address may not be reached, and leaves the endpoint as it is', () => {
    expect(nextState(fresh, failure('blocked'), circumstances)).toMatchObject({
      state: 'failed',
      reason: 'address_blocked',
      disableEndpoint: null,
    });
  });

  it('counts an attempt that was asked for like any other of its schedule', () => {
    const asked: Before = { ...fresh, state: 'retrying', attempts: 1, trigger: 'manual' };
    expect(nextState(asked, answer(500), circumstances)).toMatchObject({
      state: 'retrying',
      attempts: 2,
      nextAttemptAt: after(60_000),
      trigger: 'schedule',
    });
  });

  it('goes back to its schedule when it was held and a replay of it fails', () => {
    const held: Before = { ...fresh, state: 'held', reason: 'endpoint_paused', trigger: 'replay' };
    expect(nextState(held, answer(500), circumstances)).toMatchObject({
      state: 'retrying',
      reason: null,
      nextAttemptAt: after(1000),
    });
  });

  it('is attempted once when it is a test', () => {
    const test: Before = { ...fresh, trigger: 'test' };
    expect(nextState(test, answer(500), circumstances)).toMatchObject({
      state: 'failed',
      reason: 'test_failed',
      nextAttemptAt: null,
    });
    expect(nextState(test, success, circumstances).state).toBe('succeeded');
  });
});

describe('Retry-After', () => {
  it.each([429, 503])('lengthens the wait after a %d', (status) => {
    expect(nextState(fresh, answer(status, 30_000), circumstances).nextAttemptAt).toEqual(after(30_000));
  });

  it('never shortens the wait', () => {
    expect(nextState(fresh, answer(503, 10), circumstances).nextAttemptAt).toEqual(after(1000));
  });

  it.each([500, 404, 301])('is not heeded with a %d', (status) => {
    expect(nextState(fresh, answer(status, 30_000), circumstances).nextAttemptAt).toEqual(after(1000));
  });

  it('is a day at most, even when it was not bounded before', () => {
    const change = nextState(fresh, answer(429, 1e12), circumstances);
    expect(change.nextAttemptAt).toEqual(after(86_400_000));
  });

  it('gives no further attempt when the schedule has ended', () => {
    const last: Before = { ...fresh, state: 'retrying', attempts: 2 };
    expect(nextState(last, answer(429, 1000), circumstances).state).toBe('exhausted');
  });
});

describe('a delivery that has ended', () => {
  const ended = (state: Delivery['state'], trigger: Before['trigger']): Before => ({
    state,
    reason: 'as it was',
    attempts: 3,
    finishedAt: earlier,
    trigger,
  });

  it.each(['exhausted', 'failed', 'cancelled'] as const)(
    'succeeds when a retry of an %s one does',
    (state) => {
      for (const trigger of ['manual', 'replay'] as const) {
        expect(nextState(ended(state, trigger), success, circumstances)).toMatchObject({
          state: 'succeeded',
          reason: null,
          attempts: 4,
          finishedAt: now,
        });
      }
    },
  );

  it.each(['exhausted', 'failed', 'cancelled', 'succeeded'] as const)(
    'stays %s, for the same reason and since the same time, when a retry fails',
    (state) => {
      for (const outcome of [answer(500), answer(410), failure('blocked'), failure('dns')]) {
        expect(nextState(ended(state, 'manual'), outcome, circumstances)).toMatchObject({
          state,
          reason: 'as it was',
          attempts: 4,
          nextAttemptAt: null,
          finishedAt: earlier,
          trigger: 'schedule',
        });
      }
    },
  );

  it('stays cancelled when the attempt that was under way succeeds after all', () => {
    expect(nextState(ended('cancelled', 'schedule'), success, circumstances).state).toBe('cancelled');
  });

  it('still disables an endpoint that answers 410', () => {
    expect(nextState(ended('succeeded', 'replay'), answer(410), circumstances).disableEndpoint).toBe('gone');
  });
});

describe('isFinal and isWaiting', () => {
  it('agree on which states are over, which go on by themselves, and that held is neither', () => {
    expect((['succeeded', 'exhausted', 'failed', 'cancelled'] as const).every(isFinal)).toBe(true);
    expect((['pending', 'retrying'] as const).every(isWaiting)).toBe(true);
    expect(isFinal('held') || isWaiting('held')).toBe(false);
  });
});

describe('slowsDown', () => {
  it.each([429, 502, 503, 504])('is true of a %d', (status) => {
    expect(slowsDown(answer(status))).toBe(true);
  });

  it('is false of other answers and of no answer at all', () => {
    const others = [success, answer(500), answer(404), failure('timeout'), failure('refused')];
    expect(others.some(slowsDown)).toBe(false);
  });
});

describe('in a dialect', () => {
  const of = (dialect: keyof typeof dialectRules) => ({
    now,
    jitter: 0.5,
    retryDelaysMs: dialectRules[dialect].retryDelaysMs,
    rules: dialectRules[dialect],
  });

  it.each([
    ['standard', 'failed', 'gone'],
    ['preo', 'failed', 'gone'],
    ['ricloud', 'retrying', null],
    ['xurrent', 'retrying', null],
    ['rapidly', 'retrying', null],
  ] as const)('%s, a 410 leaves the delivery %s', (dialect, state, disableEndpoint) => {
    expect(nextState(fresh, answer(410), of(dialect))).toMatchObject({ state, disableEndpoint });
  });

  it.each([
    ['standard', 'retrying', null],
    ['preo', 'retrying', null],
    ['rapidly', 'failed', 'name_unresolved'],
  ] as const)('%s, a name that does not resolve leaves the delivery %s', (dialect, state, reason) => {
    expect(nextState(fresh, failure('dns'), of(dialect))).toMatchObject({ state, reason });
  });

  it('rapidly, the wait is half to all of 2 s, 4 s, …, 20 min at most, and there are 11 attempts', () => {
    let state: Before = fresh;
    const waits: number[] = [];
    for (const jitter of [0, 0.5, 1, 0, 0.5, 1, 0, 0.5, 1, 0, 0]) {
      const change = nextState(state, answer(500), { ...of('rapidly'), jitter });
      if (change.nextAttemptAt !== null) waits.push(change.nextAttemptAt.getTime() - now.getTime());
      state = { ...state, ...change };
    }

    expect(waits).toEqual([1000, 3000, 8000, 8000, 24_000, 64_000, 64_000, 192_000, 512_000, 512_000]);
    expect(state).toMatchObject({ state: 'exhausted', attempts: 11 });
  });

  it.each([
    ['ricloud', 5],
    ['xurrent', 11],
    ['preo', 6],
  ] as const)('%s, there are %i attempts at most', (dialect, attempts) => {
    let state: Before = fresh;
    while (!isFinal(state.state)) state = { ...state, ...nextState(state, answer(500), of(dialect)) };

    expect(state).toMatchObject({ state: 'exhausted', attempts });
  });

  it('preo, a retry by hand that fails makes an exhausted delivery failed', () => {
    const exhausted: Before = {
      ...fresh,
      state: 'exhausted',
      reason: 'attempts_exhausted',
      attempts: 6,
      finishedAt: earlier,
      trigger: 'manual',
    };

    expect(nextState(exhausted, answer(500), of('preo'))).toMatchObject({
      state: 'failed',
      reason: 'retry_failed',
      finishedAt: earlier,
    });
    expect(nextState(exhausted, answer(500), of('standard'))).toMatchObject({ state: 'exhausted' });
    expect(nextState(exhausted, success, of('preo'))).toMatchObject({ state: 'succeeded', reason: null });
  });
});

describe('a delivery that had ended and was then left out because its endpoint was disabled', () => {
  it.each([
    ['succeeded', null],
    ['exhausted', 'attempts_exhausted'],
  ] as const)('is %s for its own reason again once it was attempted: %s', (state, reason) => {
    const skipped: Before = {
      state,
      reason: 'endpoint_disabled',
      attempts: 3,
      finishedAt: earlier,
      trigger: 'manual',
    };

    expect(nextState(skipped, answer(500), circumstances)).toMatchObject({ state, reason });
  });
});
