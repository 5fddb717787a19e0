import type { Event } from '@posthorn/models';
import fc from 'fast-check';
import { eventFromRecord, eventToRecord, logV1 } from './index.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const maybe = fc.option(text, { nil: null });
const time = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }).map((at) => new Date(at));
const event: fc.Arbitrary<Event> = fc.record({
  id: name,
  organisationId: name,
  type: name,
  payload: fc.uint8Array({ maxLength: 100 }),
  labels: fc.dictionary(
    text.filter((key) => key !== '__proto__'),
    text,
    { maxKeys: 4, noNullPrototype: true },
  ),
  subject: maybe,
  idempotencyKey: maybe,
  orderingKey: maybe,
  routesTo: maybe,
  traceparent: maybe,
  deliverAt: fc.option(time, { nil: null }),
  occurredAt: time,
  acceptedAt: time,
});

describe('an event as a record of the log', () => {
  it('is the same event when it is read', () => {
    fc.assert(fc.property(event, (one) => expect(eventFromRecord(eventToRecord(one))).toEqual(one)));
  });

  it('keeps nothing alive of the bytes that it was read from', () => {
    fc.assert(
      fc.property(event, (one) => {
        const bytes = eventToRecord(one);
        const read = eventFromRecord(bytes);
        bytes.fill(0);
        expect(read).toEqual(one);
      }),
    );
  });

  it('is not made up from bytes that hold none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(() => eventFromRecord(bytes)).toThrow();
      }),
    );
  });

  it.each(['id', 'organisationId', 'type', 'occurredAt', 'acceptedAt'] as const)(
    'has its %s, or is none',
    (field) => {
      fc.assert(
        fc.property(event, (one) => {
          const message = logV1.EventRecord.decode(eventToRecord(one));
          const without = { ...message, [field]: logV1.EventRecord.decode(new Uint8Array())[field] };
          expect(() => eventFromRecord(logV1.EventRecord.encode(without).finish())).toThrow();
        }),
      );
    },
  );
});
