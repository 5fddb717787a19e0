import { adaptWindow, createLane, isSlow } from './lane.ts';
import { queuedDelivery } from './queued-delivery.ts';
import { sampleHolding } from './sample-holding.harness.ts';
import { sampleDelivery, sampleEvent } from './sample-deliveries.ts';

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
    adaptWindow(lane, 'success', false, 50);
    expect(lane.window).toBe(first + 1);
    for (let n = 0; n < 100; n += 1) adaptWindow(lane, 'http_error', false, 50);
    expect(lane.window).toBe(50);
  });

  it.each([
    ['timeout', false],
    ['refused', false],
    ['http_error', true],
  ] as const)('halves when the receiver does not keep up (%s), but never closes', (outcome, slowsDown) => {
    const lane = createLane('org', 'endpoint');
    lane.window = 8;
    const windows = [1, 2, 3, 4, 5].map(() => {
      adaptWindow(lane, outcome, slowsDown, 50);
      return lane.window;
    });
    expect(windows).toEqual([4, 2, 1, 1, 1]);
  });

  it('is slow after two timeouts in a row, until an answer comes', () => {
    const lane = createLane('org', 'endpoint');
    adaptWindow(lane, 'timeout', false, 50);
    expect(isSlow(lane, 0)).toBe(false);
    adaptWindow(lane, 'timeout', false, 50);
    expect(isSlow(lane, 0)).toBe(true);
    adaptWindow(lane, 'success', false, 50);
    expect(isSlow(lane, 0)).toBe(false);
  });

  it('is slow while its oldest attempt has had no answer for more than a second', () => {
    const lane = createLane('org', 'endpoint');
    lane.inFlight.set(queued(), 5000);
    lane.inFlight.set(queued(), 5900);
    expect(isSlow(lane, 6000)).toBe(false);
    expect(isSlow(lane, 6001)).toBe(true);
  });
});
