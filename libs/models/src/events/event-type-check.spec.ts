import { checkEventType, eventTypeLimits, type EventTypeSettings } from './event-type-check.ts';

const check = (settings: Partial<EventTypeSettings>): readonly (readonly [string, string])[] =>
  checkEventType(settings).map(({ field, code }) => [field, code]);

const schemaOf = (bytes: number): string => `{"title":"${'x'.repeat(bytes - '{"title":""}'.length)}"}`;

describe('checkEventType', () => {
  it('accepts what is well', () => {
    expect(
      check({
        name: 'order.paid',
        description: 'a\nb',
        schemaJson: ' {"type":"object"} ',
        enforcement: 'reject',
      }),
    ).toEqual([]);
    expect(check({ schemaJson: null })).toEqual([]);
    expect(check({ schemaJson: schemaOf(eventTypeLimits.schemaBytes) })).toEqual([]);
    expect(check({})).toEqual([]);
  });

  it.each<readonly [Partial<EventTypeSettings>, string, string]>([
    [{ name: 'order.*' }, '/name', 'invalid_format'],
    [{ name: 'posthorn.endpoint.disabled' }, '/name', 'reserved'],
    [{ description: 'x'.repeat(1001) }, '/description', 'too_long'],
    [{ schemaJson: '' }, '/schema', 'invalid_format'],
    [{ schemaJson: 'true' }, '/schema', 'invalid_format'],
    [{ schemaJson: '[]' }, '/schema', 'invalid_format'],
    [{ schemaJson: '{"a":}' }, '/schema', 'invalid_format'],
    [{ schemaJson: schemaOf(eventTypeLimits.schemaBytes + 1) }, '/schema', 'too_large'],
    [{ schemaJson: `{"a":${'['.repeat(200)}${']'.repeat(200)}}` }, '/schema', 'too_deep'],
  ])('refuses %j', (settings, field, code) => {
    expect(check(settings)).toEqual([[field, code]]);
  });
});
