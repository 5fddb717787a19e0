import { queuedDelivery, recordOf } from './queued-delivery.ts';
import { sampleDelivery, sampleEvent } from '../deliveries/sample-deliveries.ts';
import { sampleHolding } from '../ownership/sample-holding.harness.ts';

const event = sampleEvent(1, { orderingKey: 'key' });
const order = { key: 'key', position: 7 };
const written = { isKept: false, attempt: null };
const queued = queuedDelivery({
  delivery: sampleDelivery(event),
  event,
  holding: sampleHolding(),
  isRecorded: true,
  order,
  mark: null,
  queuedAt: 0,
});

describe('the record of a delivery that waits under a key', () => {
  it('keeps its place there, also when it had ended and goes back behind others before the attempt that was asked for', () => {
    const waiting = sampleDelivery(event, 'endpoint', { nextAttemptAt: null });
    expect(recordOf(queued, waiting, written)).toMatchObject({ order });
    // It lost its place, and was never sent: found by the simulation of replays.
    const askedFor = sampleDelivery(event, 'endpoint', { state: 'exhausted', trigger: 'replay' });
    expect(recordOf(queued, askedFor, written)).toMatchObject({ order });
  });

  it('gives its place up when it has ended', () => {
    const ended = sampleDelivery(event, 'endpoint', { state: 'exhausted' });
    expect(recordOf(queued, ended, written)).toMatchObject({ order: null });
  });
});
