import fc from 'fast-check';
import { maskedValue, maskHeaders } from './endpoint-secrets.ts';
import { unmaskHeaders } from './endpoint-settings.ts';

const names = fc.constantFrom('Authorization', 'X-Tenant', 'x-other', '__proto__', 'a/b~c');
const values = fc.oneof(fc.string({ minLength: 1, maxLength: 5 }), fc.constant(maskedValue));
const headers = fc.dictionary(names, fc.string({ minLength: 1, maxLength: 5 }));

describe('masked headers', () => {
  it('are what they were when they are sent back as they were shown', () => {
    fc.assert(
      fc.property(headers, (present) => {
        expect(unmaskHeaders(maskHeaders(present), present)).toEqual({ headers: present, violations: [] });
      }),
    );
  });

  it('take every value that is not masked, and only present ones for those that are', () => {
    fc.assert(
      fc.property(fc.dictionary(names, values), headers, (given, present) => {
        const unmasked = unmaskHeaders(given, present);
        for (const [name, value] of Object.entries(given)) {
          const isKept = value === maskedValue && Object.hasOwn(present, name);
          const expected = value === maskedValue ? (isKept ? present[name] : '') : value;
          expect(Object.getOwnPropertyDescriptor(unmasked.headers, name)?.value).toBe(expected);
        }
        const unkept = Object.entries(given).filter(
          ([name, value]) => value === maskedValue && !Object.hasOwn(present, name),
        );
        expect(unmasked.violations).toHaveLength(unkept.length);
      }),
    );
  });

  it('show nothing of a value', () => {
    fc.assert(
      fc.property(headers, (present) => {
        expect(Object.keys(maskHeaders(present))).toEqual(Object.keys(present));
        expect(Object.values(maskHeaders(present)).every((value) => value === maskedValue)).toBe(true);
      }),
    );
  });
});
