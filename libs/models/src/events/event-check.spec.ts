import { checkDelay, checkEvent, eventLimits, type EventDescription } from './event-check.ts';

const now = new Date('2025-06-15T12:00:00Z');
const check = (event: Partial<EventDescription>): readonly (readonly [string, string])[] =>
  checkEvent({ type: 'order.paid', ...event }, now).map(({ field, code }) => [field, code]);

describe('checkEvent', () => {
  it('accepts what is well, and what is absent in any way', () => {
    const labels = Object.fromEntries(
      Array.from({ length: eventLimits.labels }, (_, i) => [
        `k${i}`,
        'v'.repeat(eventLimits.labelValueLength),
      ]),
    );
    expect(
      check({
        id: 'Aa0_-'.padEnd(eventLimits.idLength, 'x'),
        labels,
        subject: 'user 1',
        idempotencyKey: ' ~'.padEnd(eventLimits.idempotencyKeyLength, 'x'),
        occurredAt: new Date(0),
      }),
    ).toEqual([]);
    expect(check({})).toEqual([]);
    expect(check({ id: '', labels: {}, subject: undefined, idempotencyKey: null, occurredAt: null })).toEqual(
      [],
    );
  });

  it.each<readonly [Partial<EventDescription>, string, string]>([
    [{ type: '' }, '/type', 'invalid_format'],
    [{ type: 'order.*' }, '/type', 'invalid_format'],
    [{ type: 'posthorn.endpoint.disabled' }, '/type', 'reserved'],
    [{ id: 'a.b' }, '/id', 'invalid_format'],
    [{ id: 'x'.repeat(65) }, '/id', 'invalid_format'],
    [{ id: 'x\n' }, '/id', 'invalid_format'],
    [{ labels: { '': 'x' } }, '/labels/', 'too_short'],
    [{ labels: { ['__proto__']: 'x' } }, '/labels/__proto__', 'invalid_value'],
    [{ labels: { a: 'x'.repeat(257) } }, '/labels/a', 'too_long'],
    [{ labels: { ['k'.repeat(129)]: 'x' } }, `/labels/${'k'.repeat(129)}`, 'too_long'],
    [{ labels: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [i, ''])) }, '/labels', 'too_many'],
    [{ subject: '' }, '/subject', 'too_short'],
    [{ subject: 'x'.repeat(256) }, '/subject', 'too_long'],
    [{ idempotencyKey: '' }, '/idempotencyKey', 'invalid_format'],
    [{ idempotencyKey: 'x'.repeat(256) }, '/idempotencyKey', 'invalid_format'],
    [{ idempotencyKey: 'é' }, '/idempotencyKey', 'invalid_format'],
    [{ occurredAt: new Date(-1) }, '/occurredAt', 'out_of_range'],
    [{ occurredAt: new Date(Number.NaN) }, '/occurredAt', 'out_of_range'],
    [
      { occurredAt: new Date(now.getTime() + eventLimits.occurredAheadMs + 1) },
      '/occurredAt',
      'out_of_range',
    ],
    [{ deliverAt: new Date(-1) }, '/deliverAt', 'out_of_range'],
    [{ deliverAt: new Date(Number.NaN) }, '/deliverAt', 'out_of_range'],
    [{ deliverAt: now, orderingKey: 'k' }, '/deliverAt', 'conflict'],
  ])('refuses %j', (event, field, code) => {
    expect(check(event)).toEqual([[field, code]]);
  });

  it('without a clock accepts any time up to the year 9999', () => {
    const at = (occurredAt: string) => checkEvent({ type: 'a', occurredAt: new Date(occurredAt) });
    expect(at('9999-12-31T23:59:59.999Z')).toEqual([]);
    expect(at('+010000-01-01T00:00:00Z')).toMatchObject([{ code: 'out_of_range' }]);
  });

  it('names everything that is wrong at once', () => {
    expect(check({ type: '', id: '!', subject: '', idempotencyKey: '' }).map(([field]) => field)).toEqual([
      '/type',
      '/id',
      '/subject',
      '/idempotencyKey',
    ]);
  });
});

describe('checkDelay', () => {
  it('lets an event wait for as long as its payload is kept, and says until when', () => {
    const inDays = (days: number): Date => new Date(now.getTime() + days * 86_400_000);
    expect(checkDelay(inDays(-1), 2, now)).toEqual([]);
    expect(checkDelay(inDays(2), 2, now)).toEqual([]);
    const [violation, ...others] = checkDelay(new Date(inDays(2).getTime() + 1), 2, now);
    expect(others).toEqual([]);
    expect(violation).toMatchObject({ field: '/deliverAt', code: 'out_of_range' });
    expect(violation?.message).toContain('2025-06-17T12:00:00.000Z');
  });
});
