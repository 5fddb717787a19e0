import { FakeClock } from '@posthorn/testing';
import { delayedDelivery } from './deliver-later.ts';
import { createDueClock } from '../due-clock.ts';
import { queuedDelivery, type QueuedDelivery } from './queued-delivery.ts';
import { sampleDelivery, sampleEvent } from '../deliveries/sample-deliveries.ts';
import { sampleHolding } from '../ownership/sample-holding.harness.ts';
import { simulatedEndpoint } from '../simulation/simulated-life.harness.ts';

const clock = new FakeClock();
const endpoint = simulatedEndpoint({ organisationId: 'org' }, 1);
const inMs = (ms: number): Date => new Date(clock.now() + ms);

function planned(deliverAt: Date | null): QueuedDelivery {
  const event = sampleEvent(1, { organisationId: 'org', deliverAt });
  const delivery = sampleDelivery(event, endpoint.endpoint.id);
  const holding = sampleHolding({ claim: 'me' });
  return queuedDelivery({ delivery, event, holding, isRecorded: false, mark: null, queuedAt: 0 });
}

function withState(state: 'enabled' | 'paused' | 'disabled') {
  return { ...endpoint, endpoint: { ...endpoint.endpoint, state } };
}

describe('a delivery whose event is to be delivered later', () => {
  it('waits for its time as it was planned', () => {
    const queued = planned(inMs(1000));
    const delayed = delayedDelivery(queued, endpoint, createDueClock(clock));
    expect(delayed).toEqual({ ...queued.delivery, state: 'pending', nextAttemptAt: inMs(1000) });
  });

  it('goes at once when there is no time, or when it is past', () => {
    const dueClock = createDueClock(clock);
    expect(delayedDelivery(planned(null), endpoint, dueClock)).toBeNull();
    expect(delayedDelivery(planned(inMs(0)), endpoint, dueClock)).toBeNull();
  });

  it('waits when its endpoint is paused, and is held or ended like any other when that takes nothing', () => {
    const dueClock = createDueClock(clock);
    const queued = planned(inMs(1000));
    expect(delayedDelivery(queued, withState('paused'), dueClock)).toMatchObject({ state: 'pending' });
    expect(delayedDelivery(queued, withState('disabled'), dueClock)).toBeNull();
    expect(delayedDelivery(queued, undefined, dueClock)).toBeNull();
  });

  it('waits by a clock that does not go back', () => {
    const dueClock = createDueClock(clock);
    const queued = planned(inMs(1000));
    const dueAt = inMs(1000 + 3_600_000);
    clock.jump(-3_600_000);
    expect(delayedDelivery(queued, endpoint, dueClock)?.nextAttemptAt).toEqual(dueAt);
  });
});
