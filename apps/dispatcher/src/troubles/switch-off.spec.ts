import type { Delivery, Dialect, SigningEndpoint } from '@posthorn/models';
import { silentLogger } from '@posthorn/runtime';
import type { EndedAttempt } from '../deliveries/delivery-search.ts';
import type { DeliveryRecord } from '../deliveries/delivery-store.ts';
import { sampleAttempt, sampleDelivery, sampleEvent, sampleInsert } from '../deliveries/sample-deliveries.ts';
import { createSwitchOff, switchOffRules } from './switch-off.ts';
import { simulatedEndpoint } from '../simulation/simulated-life.harness.ts';

const day = 86_400_000;
const now = Date.UTC(2026, 5, 1);

/** Attempts from the latest back, one slice each. */
async function* latest(attempts: readonly Partial<EndedAttempt>[]): AsyncGenerator<readonly EndedAttempt[]> {
  for (const [index, attempt] of attempts.entries()) {
    yield [
      {
        deliveryId: `d${index}`,
        deliveryState: 'exhausted',
        startedAt: new Date(now - index * day),
        succeeded: false,
        ...attempt,
      },
    ];
    await Promise.resolve();
  }
}
const times = (count: number, attempt: Partial<EndedAttempt> = {}) =>
  Array.from({ length: count }, () => attempt);

async function isSwitchedOff(dialect: Dialect, attempts: readonly Partial<EndedAttempt>[]): Promise<boolean> {
  return (await switchOffRules[dialect]?.(latest(attempts))) ?? false;
}

describe('a rapidly endpoint', () => {
  it.each<[boolean, string, Partial<EndedAttempt>[]]>([
    [true, 'the last ten that ended all failed', times(10)],
    [true, 'an earlier one succeeded', [...times(10), { deliveryState: 'succeeded', succeeded: true }]],
    [false, 'only nine ended', times(9)],
    [false, 'one of the last ten succeeded', [...times(9), { deliveryState: 'succeeded', succeeded: true }]],
    [false, 'one that succeeded was sent again and failed', [{ deliveryState: 'succeeded' }, ...times(9)]],
    [false, 'the others are still being retried', [...times(9), ...times(20, { deliveryState: 'retrying' })]],
    [
      true,
      'others are being retried in between',
      [...times(20, { deliveryState: 'retrying' }), ...times(10)],
    ],
    [false, 'one delivery failed at eleven attempts', times(11, { deliveryId: 'same' })],
    [true, 'some failed for good at once', [...times(5, { deliveryState: 'failed' }), ...times(5)]],
    [false, 'one was cancelled', [...times(9), { deliveryState: 'cancelled' }]],
  ])('is switched off: %s, when %s', async (expected, _when, attempts) => {
    expect(await isSwitchedOff('rapidly', attempts)).toBe(expected);
  });
});

describe('a xurrent endpoint', () => {
  const spread = (count: number, overMs: number) =>
    Array.from({ length: count }, (_, index) => ({
      startedAt: new Date(now - (overMs * index) / (count - 1)),
    }));

  it.each<[boolean, string, Partial<EndedAttempt>[]]>([
    [true, 'twenty failures in a row are more than a week apart', spread(20, 7 * day + 1)],
    [false, 'they are a week apart', spread(20, 7 * day)],
    [false, 'there are nineteen', spread(19, 20 * day)],
    [true, 'there are many more', spread(300, 8 * day)],
    [false, 'one of them succeeded', [...spread(19, 8 * day), { succeeded: true }, ...spread(20, 20 * day)]],
  ])('is switched off: %s, when %s', async (expected, _when, attempts) => {
    expect(await isSwitchedOff('xurrent', attempts)).toBe(expected);
  });
});

it.each(['standard', 'ricloud', 'preo'] as const)(
  'an endpoint of the dialect %s is not switched off like this',
  async (dialect) => {
    expect(await isSwitchedOff(dialect, times(300))).toBe(false);
  },
);

describe('what was put on record', () => {
  const failing = simulatedEndpoint({ organisationId: 'org' }, 1);
  const id = failing.endpoint.id;

  function setUp(dialect: Dialect, attempts: readonly Partial<EndedAttempt>[]) {
    const target: SigningEndpoint = { ...failing, endpoint: { ...failing.endpoint, dialect } };
    const disabled: string[] = [];
    let looks = 0;
    const switchOff = createSwitchOff({
      search: {
        latestAttempts() {
          looks += 1;
          return latest(attempts);
        },
      },
      directory: { endpoint: (_organisationId, endpointId) => (endpointId === id ? target : undefined) },
      disable: ({ endpoint }, reason) => {
        disabled.push(`${endpoint.id} ${reason}`);
        return Promise.resolve();
      },
      logger: silentLogger,
    });
    return { switchOff, disabled, looks: () => looks };
  }

  function record(over: Partial<Delivery>, outcome: 'http_error' | 'success' = 'http_error'): DeliveryRecord {
    const delivery = sampleDelivery(sampleEvent(1), id, over);
    return sampleInsert({ delivery, epoch: 0, attempt: sampleAttempt(delivery, 1, { outcome }) });
  }

  it('switches an endpoint off by the rule of its dialect, and says why', async () => {
    const { switchOff, disabled } = setUp('rapidly', times(10));
    switchOff.observe([record({ state: 'exhausted' })]);
    await switchOff.idle();

    expect(disabled).toEqual([`${id} failing`]);
  });

  it.each<[string, Dialect, DeliveryRecord]>([
    ['another attempt is to come', 'rapidly', record({ state: 'retrying' })],
    ['it succeeded', 'rapidly', record({ state: 'succeeded' }, 'success')],
    ['the dialect has no such rule', 'standard', record({ state: 'exhausted' })],
    ['nothing was attempted', 'rapidly', { ...record({ state: 'exhausted' }), attempt: null }],
  ])('is not looked into when %s', async (_when, dialect, what) => {
    const { switchOff, looks } = setUp(dialect, times(10));
    switchOff.observe([what]);
    await switchOff.idle();

    expect(looks()).toBe(0);
  });

  it('is looked into once for many that end together, and once more for those that end meanwhile', async () => {
    const { switchOff, looks } = setUp('rapidly', times(3));
    switchOff.observe(Array.from({ length: 50 }, () => record({ state: 'exhausted' })));
    await Promise.resolve();
    switchOff.observe([record({ state: 'exhausted' })]);
    await switchOff.idle();

    expect(looks()).toBe(2);
  });
});
