import {
  deliveryStates,
  isFinal,
  type Delivery,
  type EndpointState,
  type SigningEndpoint,
} from '@posthorn/models';
import { heldDelivery } from './hold.ts';
import { sampleDelivery, sampleEvent } from '../deliveries/sample-deliveries.ts';
import { simulatedEndpoint } from '../simulation/simulated-life.harness.ts';

const now = new Date('2026-03-04T05:06:07Z');
const dueNow = new Date('2026-03-04T05:06:08Z');
const base = simulatedEndpoint({ organisationId: 'org' }, 1);

describe('heldDelivery', () => {
  it.each(deliveryStates.filter(isFinal))(
    'leaves a delivery that is %s as it is when its endpoint is no more: a success is never turned back',
    (state) => {
      const ended: Delivery = {
        ...sampleDelivery(sampleEvent(1)),
        state,
        reason: null,
        finishedAt: dueNow,
        nextAttemptAt: now,
      };
      expect(heldDelivery(ended, undefined, { now, dueNow })).toEqual({ ...ended, nextAttemptAt: null });
    },
  );

  it.each(['exhausted', 'failed', 'cancelled'] as const)(
    'keeps the attempt that was asked for of a delivery that is %s until its endpoint is resumed',
    (state) => {
      const asked: Delivery = { ...sampleDelivery(sampleEvent(1)), state, trigger: 'replay' };
      const held = (endpointState: EndpointState): Delivery =>
        heldDelivery(
          asked,
          { ...base, endpoint: { ...base.endpoint, state: endpointState } },
          { now, dueNow },
        );
      expect(held('paused')).toEqual({ ...asked, nextAttemptAt: dueNow });
      expect(held('disabled')).toEqual({ ...asked, nextAttemptAt: null });
    },
  );

  it.each(deliveryStates.filter((state) => !isFinal(state)))(
    'ends a delivery that is %s when its endpoint is no more',
    (state) => {
      const waiting: Delivery = { ...sampleDelivery(sampleEvent(1)), state };
      expect(heldDelivery(waiting, undefined, { now, dueNow })).toMatchObject({
        state: 'cancelled',
        reason: 'endpoint_deleted',
        nextAttemptAt: null,
        finishedAt: now,
      });
    },
  );

  it('says that its key holds a delivery back also while its endpoint is paused: so it is still when that resumes', () => {
    const signing = simulatedEndpoint({ organisationId: 'org' }, 1);
    const paused: SigningEndpoint = { ...signing, endpoint: { ...signing.endpoint, state: 'paused' } };
    const waiting = sampleDelivery(sampleEvent(1));
    const blocked: Delivery = { ...waiting, state: 'held', reason: 'order_blocked' };
    expect(heldDelivery(blocked, paused, { now, dueNow }).reason).toBe('order_blocked');
    expect(heldDelivery(waiting, paused, { now, dueNow }).reason).toBe('endpoint_paused');
  });
});
