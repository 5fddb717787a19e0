import { queuedDelivery, type QueuedDelivery } from './queued-delivery.ts';
import { sampleHolding } from '../ownership/sample-holding.harness.ts';
import { sampleDelivery, sampleEvent } from '../deliveries/sample-deliveries.ts';
import { createUnrecorded } from './unrecorded.ts';

const standing = (): boolean => false;
const moving = (): boolean => true;

function queuedAt(time: number): QueuedDelivery {
  const event = sampleEvent(time);
  return queuedDelivery({
    delivery: sampleDelivery(event),
    event,
    holding: sampleHolding(),
    isRecorded: false,
    mark: null,
    queuedAt: time,
  });
}

describe('what is not on record', () => {
  it('is to be put on record after 250 ms, once, in the order in which it came', () => {
    const unrecorded = createUnrecorded();
    const all = [queuedAt(0), queuedAt(10), queuedAt(300)];
    for (const queued of all) unrecorded.add(queued);
    expect(unrecorded.takeOverdue(249, standing)).toEqual([]);
    expect(unrecorded.takeOverdue(260, standing)).toEqual(all.slice(0, 2));
    expect(unrecorded.takeOverdue(10_000, standing)).toEqual(all.slice(2));
    expect(unrecorded.takeOverdue(20_000, standing)).toEqual([]);
  });

  it('is left alone once it has an outcome, or is on record', () => {
    const unrecorded = createUnrecorded();
    const [done, claimed] = [queuedAt(0), queuedAt(0)];
    for (const queued of [done, claimed]) unrecorded.add(queued);
    done.done = true;
    claimed.isRecorded = true;
    expect(unrecorded.takeOverdue(1000, standing)).toEqual([]);
  });

  it('may wait in a lane that is moving, for as long as that moves, and for five seconds at most', () => {
    const unrecorded = createUnrecorded();
    const queued = queuedAt(0);
    unrecorded.add(queued);
    for (let now = 0; now < 5000; now += 50) expect(unrecorded.takeOverdue(now, moving)).toEqual([]);
    expect(unrecorded.takeOverdue(5300, moving)).toEqual([queued]);

    const second = queuedAt(6000);
    unrecorded.add(second);
    expect(unrecorded.takeOverdue(6250, moving)).toEqual([]);
    expect(unrecorded.takeOverdue(6500, standing)).toEqual([second]);
  });
});
