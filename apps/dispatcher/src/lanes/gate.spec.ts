import { deliveryStates, isFinal, type Dialect, type Endpoint } from '@posthorn/models';
import { gateOf, isOpen } from './gate.ts';
import { heldDelivery } from './hold.ts';
import { sampleDelivery, sampleEvent } from '../deliveries/sample-deliveries.ts';
import { simulatedEndpoint } from '../simulation/simulated-life.harness.ts';

const now = new Date('2026-03-04T05:06:07Z');
const dueNow = new Date('2026-03-04T05:06:08Z');
const base = simulatedEndpoint({ organisationId: 'org' }, 1);
const endpointIn = (dialect: Dialect, over: Partial<Endpoint> = {}) => ({
  ...base,
  endpoint: { ...base.endpoint, dialect, ...over },
});

describe('the gate of an endpoint', () => {
  it.each<[Dialect, Partial<Endpoint>, ReturnType<typeof gateOf>]>([
    ['standard', {}, { kind: 'open' }],
    ['rapidly', {}, { kind: 'open' }],
    ['preo', {}, { kind: 'open' }],
    ['ricloud', { verification: 'passed' }, { kind: 'open' }],
    ['xurrent', { verification: 'passed' }, { kind: 'open' }],
    ['xurrent', { verification: 'none' }, { kind: 'open' }],
    [
      'standard',
      { state: 'paused' },
      { kind: 'waits', reason: 'endpoint_paused', admitsVerification: false },
    ],
    ['standard', { state: 'disabled' }, { kind: 'closed', reason: 'endpoint_disabled' }],
    [
      'xurrent',
      { verification: 'pending', state: 'disabled' },
      { kind: 'closed', reason: 'endpoint_disabled' },
    ],
    [
      'xurrent',
      { verification: 'pending' },
      { kind: 'waits', reason: 'endpoint_not_verified', admitsVerification: true },
    ],
    [
      'xurrent',
      { verification: 'pending', state: 'paused' },
      { kind: 'waits', reason: 'endpoint_paused', admitsVerification: false },
    ],
    [
      'ricloud',
      { verification: 'pending' },
      { kind: 'waits', reason: 'endpoint_not_valid', admitsVerification: false },
    ],
    ['ricloud', { verification: 'failed' }, { kind: 'closed', reason: 'endpoint_not_valid' }],
    ['ricloud', { verification: 'none' }, { kind: 'closed', reason: 'endpoint_not_valid' }],
  ])('of the dialect %s that is %j is %j', (dialect, over, gate) => {
    expect(gateOf(endpointIn(dialect, over))).toEqual(gate);
    expect(isOpen(endpointIn(dialect, over))).toBe(gate.kind === 'open');
  });

  it('that is no more is gone', () => {
    expect(gateOf(undefined)).toEqual({ kind: 'gone' });
    expect(isOpen(undefined)).toBe(false);
  });
});

describe('a delivery that may not go out yet', () => {
  const unended = deliveryStates.filter((state) => !isFinal(state));

  it.each(unended)('is held for a replay where its endpoint failed its test, when it was %s', (state) => {
    const delivery = sampleDelivery(sampleEvent(1), 'endpoint', { state, nextAttemptAt: now });

    expect(
      heldDelivery(delivery, endpointIn('ricloud', { verification: 'failed' }), { now, dueNow }),
    ).toMatchObject({
      state: 'held',
      reason: 'endpoint_not_valid',
      nextAttemptAt: null,
    });
  });

  it.each<[Dialect, string]>([
    ['ricloud', 'endpoint_not_valid'],
    ['xurrent', 'endpoint_not_verified'],
  ])('waits for the %s endpoint that is being verified', (dialect, reason) => {
    const delivery = sampleDelivery(sampleEvent(1));

    expect(
      heldDelivery(delivery, endpointIn(dialect, { verification: 'pending' }), { now, dueNow }),
    ).toMatchObject({
      state: 'held',
      reason,
      nextAttemptAt: dueNow,
    });
  });
});
