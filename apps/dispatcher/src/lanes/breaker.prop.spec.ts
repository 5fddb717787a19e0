import { attemptOutcomes } from '@posthorn/models';
import fc from 'fast-check';
import {
  admits,
  begun,
  closedBreaker,
  concluded,
  evidenceOf,
  firstWaitMs,
  longestWaitMs,
  type Breaker,
  type Evidence,
} from './breaker.ts';

/** What happens to a lane: time passes, a delivery wants to go out, an attempt that is under way ends. */
type Happening =
  | { readonly what: 'time'; readonly ms: number }
  | { readonly what: 'due' }
  | { readonly what: 'by hand' }
  | { readonly what: 'end'; readonly which: number; readonly evidence: Evidence };

const evidences: readonly Evidence[] = ['answered', 'failed', 'failed', 'failed', 'nothing'];
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ what: fc.constant('time' as const), ms: fc.integer({ min: 0, max: 60_000 }) }),
  fc.record({ what: fc.constant('due' as const) }),
  fc.record({ what: fc.constant('by hand' as const) }),
  fc.record({
    what: fc.constant('end' as const),
    which: fc.nat(20),
    evidence: fc.constantFrom(...evidences),
  }),
);

/** A lane that starts whatever its breaker admits, and what its breaker was told. */
function live(happenings: readonly Happening[], jitter: number) {
  let breaker: Breaker = closedBreaker;
  let now = 0;
  const underWay: { isProbe: boolean }[] = [];
  const seen: { readonly before: Breaker; readonly after: Breaker; readonly now: number }[] = [];
  const become = (after: Breaker): void => {
    seen.push({ before: breaker, after, now });
    breaker = after;
  };
  for (const one of happenings) {
    if (one.what === 'time') now += one.ms;
    else if (one.what === 'by hand') underWay.push({ isProbe: false });
    else if (one.what === 'due') {
      if (!admits(breaker, now)) continue;
      const after = begun(breaker);
      underWay.push({ isProbe: after.state === 'probing' });
      become(after);
    } else {
      const [ended] = underWay.splice(one.which % Math.max(1, underWay.length), 1);
      if (ended === undefined) continue;
      const { evidence } = one;
      become(concluded(breaker, { ...ended, evidence, monotonicNow: now, jitter: () => jitter }));
    }
  }
  return { breaker, now, underWay, seen };
}

const jitters = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const lives = fc.tuple(fc.array(happening, { maxLength: 200 }), jitters);

describe('a breaker', () => {
  it('lets nothing else out by its schedule while its probe is under way, and never waits for a probe that is not', () => {
    fc.assert(
      fc.property(lives, ([happenings, jitter]) => {
        const { breaker, underWay } = live(happenings, jitter);
        if (breaker.state !== 'probing') return;
        expect(admits(breaker, Infinity)).toBe(false);
        expect(underWay.filter(({ isProbe }) => isProbe).length).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  it('never waits for longer than its longest wait and its spread, nor less than its first', () => {
    fc.assert(
      fc.property(lives, ([happenings, jitter]) => {
        for (const { before, after, now } of live(happenings, jitter).seen) {
          if (after.state !== 'open' || after === before) continue;
          expect(after.probeAt - now).toBeLessThanOrEqual(longestWaitMs * 1.2);
          expect(after.probeAt - now).toBeGreaterThanOrEqual(firstWaitMs * 0.8);
        }
      }),
    );
  });

  it('is never stuck: whatever has happened, answers alone close it', () => {
    fc.assert(
      fc.property(lives, ([happenings, jitter]) => {
        let { breaker, now } = live(happenings, jitter);
        for (let step = 0; step < 20; step += 1) {
          now += longestWaitMs * 2;
          // A probe that is under way ends at its timeout at the latest.
          breaker = begun(breaker);
          breaker = concluded(breaker, {
            evidence: 'answered',
            isProbe: breaker.state === 'probing',
            monotonicNow: now,
            jitter: () => jitter,
          });
        }
        expect(breaker).toBe(closedBreaker);
      }),
    );
  });

  it('opens only on failures in a row: an answer in between keeps it from opening', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 })), jitters, (rows, jitter) => {
        const happenings = rows.flatMap((failures): Happening[] => [
          ...Array.from({ length: failures }, () => 'failed' as const).flatMap(attempt),
          ...attempt('answered'),
        ]);
        expect(live(happenings, jitter).breaker).toBe(closedBreaker);
      }),
    );
  });

  it('waits longer after each probe that fails, up to its bound', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), jitters, (probes, jitter) => {
        const dead: Happening[] = [...Array.from({ length: 5 }, () => attempt('failed')).flat()];
        for (let probe = 0; probe < probes; probe += 1) {
          dead.push({ what: 'time', ms: longestWaitMs * 2 }, ...attempt('failed'));
        }
        const { breaker } = live(dead, jitter);
        const expected = Math.min(firstWaitMs * 2 ** probes, longestWaitMs);
        expect(breaker).toMatchObject({ state: 'open', waitMs: expected });
      }),
    );
  });
});

function attempt(evidence: Evidence): Happening[] {
  return [{ what: 'due' }, { what: 'end', which: 0, evidence }];
}

describe('the ramp after a probe', () => {
  const ramping: Breaker = { state: 'ramping', waitMs: 20_000, failures: 0, answersLeft: 15 };
  const fail = (breaker: Breaker): Breaker =>
    concluded(breaker, { evidence: 'failed', isProbe: false, monotonicNow: 0, jitter: () => 0.5 });

  it('survives one failure, and ends with the second in a row, for as long a wait as before', () => {
    expect(fail(ramping).state).toBe('ramping');
    expect(fail(fail(ramping))).toEqual({ state: 'open', waitMs: 20_000, probeAt: 20_000 });
  });
});

describe('what an attempt says about its receiver', () => {
  it('is nothing when nothing was sent, a failure without an answer or with a 5xx, else an answer', () => {
    const told = Object.fromEntries(
      attemptOutcomes.map((kind) => [kind, evidenceOf({ kind, status: kind === 'http_error' ? 404 : null })]),
    );
    expect(told).toEqual({
      success: 'answered',
      http_error: 'answered',
      timeout: 'failed',
      refused: 'failed',
      reset: 'failed',
      dns: 'failed',
      tls: 'failed',
      blocked: 'nothing',
      too_large: 'failed',
      protocol: 'failed',
      internal: 'nothing',
    });
    for (const status of [500, 503, 599]) expect(evidenceOf({ kind: 'http_error', status })).toBe('failed');
    for (const status of [301, 410, 429]) expect(evidenceOf({ kind: 'http_error', status })).toBe('answered');
  });
});
