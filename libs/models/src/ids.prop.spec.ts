import fc from 'fast-check';
import { attemptIdOf, deliveryIdOf, idCeiling, idFloor, idTimeMs, isId, newId } from './ids.ts';

const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const random = fc.uint8Array({ minLength: 10, maxLength: 10 });
const text = fc.string({ unit: 'binary', maxLength: 70 });

describe('ids', () => {
  it('are well formed and hold their time, whatever the time and the random bytes', () => {
    fc.assert(
      fc.property(time, random, (ms, bytes) => {
        const id = newId(ms, () => bytes);
        expect(isId(id)).toBe(true);
        expect(idTimeMs(id)).toBe(ms);
        expect(idFloor(ms) <= id && id <= idCeiling(ms)).toBe(true);
      }),
    );
  });

  it('sort by time as text', () => {
    fc.assert(
      fc.property(time, time, random, random, (a, b, first, second) => {
        fc.pre(a !== b);
        const idA = newId(a, () => first);
        const idB = newId(b, () => second);
        expect(idA < idB).toBe(a < b);
      }),
    );
  });

  it('of deliveries are well formed, repeat themselves, and differ when any part differs', () => {
    const source = fc.record({
      acceptedAt: time.map((ms) => new Date(ms)),
      organisationId: text,
      eventId: text,
      endpointId: text,
    });
    fc.assert(
      fc.property(
        source,
        source,
        fc.constantFrom('organisationId', 'eventId', 'endpointId'),
        (a, b, part) => {
          fc.pre(a[part] !== b[part]);
          const id = deliveryIdOf(a);
          expect(isId(id)).toBe(true);
          expect(idTimeMs(id)).toBe(a.acceptedAt.getTime());
          expect(deliveryIdOf({ ...a })).toBe(id);
          expect(deliveryIdOf({ ...a, [part]: b[part] })).not.toBe(id);
        },
      ),
    );
  });

  it('of attempts are well formed and differ by number', () => {
    fc.assert(
      fc.property(random, fc.integer({ min: 1 }), fc.integer({ min: 1 }), (bytes, first, second) => {
        fc.pre(first !== second);
        const deliveryId = newId(1, () => bytes);
        expect(isId(attemptIdOf(deliveryId, first))).toBe(true);
        expect(attemptIdOf(deliveryId, first)).not.toBe(attemptIdOf(deliveryId, second));
      }),
    );
  });
});
