import type { AttemptOutcome } from '@posthorn/models';
import { createLane, learn, paceOf, takeNext, type Lane } from './lane.ts';
import { queuedDelivery } from './queued-delivery.ts';
import { sampleHolding } from '../ownership/sample-holding.harness.ts';
import { sampleDelivery, sampleEvent } from '../deliveries/sample-deliveries.ts';

const moment = { places: 50, tookMs: 10, monotonicNow: 0, jitter: () => 0.5 };
const success = { kind: 'success', status: 200, retryAfterMs: null } as const;

function ended(lane: Lane, kind: AttemptOutcome, status: number | null = null): void {
  const outcome = { kind, status, retryAfterMs: null };
  learn(lane, queued(), outcome, moment);
}

const queued = () =>
  queuedDelivery({
    delivery: sampleDelivery(sampleEvent(1)),
    event: sampleEvent(1),
    holding: sampleHolding(),
    isRecorded: false,
    mark: null,
    queuedAt: 0,
  });

describe('a lane', () => {
  it('opens by one with every answer, up to what the endpoint allows', () => {
    const lane = createLane('org', 'endpoint');
    const first = lane.window;
    ended(lane, 'success');
    expect(lane.window).toBe(first + 1);
    for (let n = 0; n < 100; n += 1) ended(lane, 'http_error', 404);
    expect(lane.window).toBe(50);
  });

  it.each([
    ['timeout', null],
    ['refused', null],
    ['http_error', 503],
  ] as const)('halves when the receiver does not keep up (%s), but never closes', (outcome, status) => {
    const lane = createLane('org', 'endpoint');
    lane.window = 8;
    const windows = [1, 2, 3, 4, 5].map(() => {
      ended(lane, outcome, status);
      return lane.window;
    });
    expect(windows).toEqual([4, 2, 1, 1, 1]);
  });

  it('is slow after two timeouts in a row, until an answer comes', () => {
    const lane = createLane('org', 'endpoint');
    ended(lane, 'timeout');
    expect(paceOf(lane, 0)).toBe('doubtful');
    ended(lane, 'timeout');
    expect(paceOf(lane, 0)).toBe('slow');
    ended(lane, 'success');
    expect(paceOf(lane, 0)).toBe('prompt');
  });

  it('is slow while its oldest attempt has had no answer for more than a second', () => {
    const lane = createLane('org', 'endpoint');
    lane.inFlight.set(queued(), 5000);
    lane.inFlight.set(queued(), 5900);
    expect(paceOf(lane, 6000)).not.toBe('slow');
    expect(paceOf(lane, 6001)).toBe('slow');
  });

  it('is doubtful while nothing is known of its receiver, and when an attempt takes far longer than usual', () => {
    const lane = createLane('org', 'endpoint');
    expect(paceOf(lane, 0)).toBe('doubtful');
    // Ten milliseconds are usual.
    ended(lane, 'success');
    lane.inFlight.set(queued(), 5000);
    expect(paceOf(lane, 5100)).toBe('prompt');
    expect(paceOf(lane, 5101)).toBe('doubtful');
    for (let n = 0; n < 50; n += 1) learn(lane, queued(), success, { ...moment, tookMs: 200 });
    expect(paceOf(lane, 5700)).toBe('prompt');
    expect(paceOf(lane, 5801)).toBe('doubtful');
  });

  it('begins with one under way when its receiver answers again, and opens by one with every answer', () => {
    const lane = createLane('org', 'endpoint');
    for (let n = 0; n < 5; n += 1) ended(lane, 'http_error', 500);
    expect(lane.breaker.state).toBe('open');
    const windows = [1, 2, 3].map(() => {
      ended(lane, 'success');
      return lane.window;
    });
    expect(windows).toEqual([1, 2, 3]);
  });

  it('lets what came back from storage and what came from the log go in turns', () => {
    const lane = createLane('org', 'endpoint');
    const [old, older, fresh, fresher] = [queued(), queued(), queued(), queued()];
    lane.returned.push(older, old);
    lane.waiting.push(fresh, fresher);
    expect([1, 2, 3, 4, 5].map(() => takeNext(lane))).toEqual([older, fresh, old, fresher, undefined]);
  });
});
