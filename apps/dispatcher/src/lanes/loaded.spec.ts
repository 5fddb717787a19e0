import { createLoaded } from './loaded.ts';
import { queuedDelivery } from './queued-delivery.ts';
import { sampleHolding } from '../ownership/sample-holding.harness.ts';
import { sampleDelivery, sampleEvent } from '../deliveries/sample-deliveries.ts';

function queued(number: number, payloadBytes = 10) {
  const event = sampleEvent(number, { payload: new Uint8Array(payloadBytes) });
  return queuedDelivery({
    delivery: sampleDelivery(event),
    event,
    holding: sampleHolding(),
    isRecorded: false,
    mark: null,
    queuedAt: 0,
  });
}

describe('the deliveries in memory', () => {
  it('count once, however often they are added, until they are removed', () => {
    const loaded = createLoaded();
    const one = queued(1);
    loaded.add(one);
    loaded.add(one);
    loaded.add(queued(2, 500));
    expect([loaded.deliveries, loaded.bytes]).toEqual([2, 1034 + 1524]);
    loaded.remove(one);
    loaded.remove(one);
    expect([loaded.deliveries, loaded.bytes]).toEqual([1, 1524]);
    expect(loaded.get(one.delivery.id)).toBeUndefined();
  });

  it('leave nothing behind when another of the same id takes the place', () => {
    const loaded = createLoaded();
    const [first, second] = [queued(1), queued(1, 100)];
    loaded.add(first);
    loaded.add(second);
    loaded.remove(first);
    expect(loaded.get(first.delivery.id)).toBe(second);
    expect([loaded.deliveries, loaded.bytes]).toEqual([1, 1124]);
    loaded.remove(second);
    expect([loaded.deliveries, loaded.bytes]).toEqual([0, 0]);
  });
});
