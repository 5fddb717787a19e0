import fc from 'fast-check';
import { attemptOutcomes, attemptTriggers } from './attempt.ts';
import { deliveryStates, isFinal, isWaiting, nextState, type Delivery, type Outcome } from './delivery.ts';
import { maxRetryAfterMs } from './retry-after.ts';
import { defaultRetryDelaysMs, retryJitter } from './retry-schedule.ts';

const now = fc.integer({ min: 0, max: 4e12 }).map((ms) => new Date(ms));
const jitter = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const delays = fc.oneof(
  fc.constant(defaultRetryDelaysMs),
  fc.array(fc.integer({ min: 1000, max: 2_592_000_000 }), { maxLength: 20 }),
);
const circumstances = fc.record({ now, jitter, retryDelaysMs: delays });

const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.record({
    kind: fc.constantFrom(...attemptOutcomes.filter((kind) => kind !== 'success' && kind !== 'http_error')),
    status: fc.constant(null),
    retryAfterMs: fc.constant(null),
  }),
  fc.record({
    kind: fc.constant('http_error' as const),
    status: fc.oneof(fc.constantFrom(301, 410, 429, 500, 502, 503, 504), fc.integer({ min: 300, max: 599 })),
    retryAfterMs: fc.option(fc.integer({ min: 0, max: maxRetryAfterMs })),
  }),
  fc.record({
    kind: fc.constant('success' as const),
    status: fc.integer({ min: 200, max: 299 }),
    retryAfterMs: fc.constant(null),
  }),
);

type Before = Pick<Delivery, 'state' | 'reason' | 'attempts' | 'finishedAt' | 'trigger'>;
const delivery: fc.Arbitrary<Before> = fc.record({
  state: fc.constantFrom(...deliveryStates),
  reason: fc.option(fc.string().filter((reason) => reason !== 'endpoint_disabled')),
  attempts: fc.nat({ max: 30 }),
  finishedAt: fc.option(now),
  trigger: fc.constantFrom(...attemptTriggers),
});

const fresh: Before = { state: 'pending', reason: null, attempts: 0, finishedAt: null, trigger: 'schedule' };

describe('nextState, whatever the delivery, the outcome and the schedule', () => {
  it('counts each attempt once and gives the next one back to the schedule', () => {
    fc.assert(
      fc.property(delivery, outcome, circumstances, (before, result, given) => {
        const change = nextState(before, result, given);
        expect(change.attempts).toBe(before.attempts + 1);
        expect(change.trigger).toBe('schedule');
      }),
    );
  });

  it('names a next time if and only if the delivery waits, and an end if and only if it has ended', () => {
    fc.assert(
      fc.property(delivery, outcome, circumstances, (before, result, given) => {
        const change = nextState(before, result, given);
        expect(change.nextAttemptAt !== null).toBe(isWaiting(change.state));
        expect(change.finishedAt !== null).toBe(isFinal(change.state));
        expect(isFinal(change.state) || change.state === 'retrying').toBe(true);
      }),
    );
  });

  it('leaves what has ended as it is, unless an attempt that was asked for succeeds', () => {
    fc.assert(
      fc.property(delivery, outcome, circumstances, (before, result, given) => {
        fc.pre(isFinal(before.state));
        const change = nextState(before, result, given);
        const improves =
          result.kind === 'success' && before.trigger !== 'schedule' && before.state !== 'succeeded';
        expect(change.state).toBe(improves ? 'succeeded' : before.state);
        if (!improves) expect(change.reason).toBe(before.reason);
      }),
    );
  });

  it('never turns a success back, however many attempts follow', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(outcome, fc.constantFrom(...attemptTriggers))),
        circumstances,
        (attempts, given) => {
          let state: Before = { ...fresh, state: 'succeeded', finishedAt: given.now };
          for (const [result, trigger] of attempts) {
            state = { ...state, ...nextState({ ...state, trigger }, result, given) };
            expect(state.state).toBe('succeeded');
          }
        },
      ),
    );
  });

  it('disables the endpoint if and only if the answer is a 410', () => {
    fc.assert(
      fc.property(delivery, outcome, circumstances, (before, result, given) => {
        const isGone = result.kind === 'http_error' && result.status === 410;
        expect(nextState(before, result, given).disableEndpoint).toBe(isGone ? 'gone' : null);
      }),
    );
  });

  it('waits the delay of the schedule within ±20 %, or as long as Retry-After says when that is longer', () => {
    fc.assert(
      fc.property(delivery, outcome, circumstances, (before, result, given) => {
        const change = nextState(before, result, given);
        fc.pre(change.nextAttemptAt !== null);
        const waitMs = (change.nextAttemptAt?.getTime() ?? 0) - given.now.getTime();
        const delayMs = given.retryDelaysMs[before.attempts] ?? Number.NaN;
        const heeds = result.status === 429 || result.status === 503;
        const askedMs = heeds ? (result.retryAfterMs ?? 0) : 0;
        expect(waitMs).toBeGreaterThanOrEqual(Math.max(Math.floor(delayMs * (1 - retryJitter)), askedMs));
        expect(waitMs).toBeLessThanOrEqual(Math.max(Math.ceil(delayMs * (1 + retryJitter)), askedMs));
      }),
    );
  });

  it('ends a delivery that only fails after exactly one attempt more than there are delays', () => {
    const failing = outcome.filter(
      ({ kind, status }) => kind !== 'success' && kind !== 'blocked' && status !== 410,
    );
    fc.assert(
      fc.property(fc.array(failing, { minLength: 21, maxLength: 21 }), circumstances, (failures, given) => {
        let state = fresh;
        for (const result of failures) {
          if (!isFinal(state.state)) state = { ...state, ...nextState(state, result, given) };
        }
        expect(state.state).toBe('exhausted');
        expect(state.attempts).toBe(given.retryDelaysMs.length + 1);
      }),
    );
  });
});
