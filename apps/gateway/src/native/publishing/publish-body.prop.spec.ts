import { DomainError } from '@posthorn/models';
import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import fc from 'fast-check';
import { readPublishBody } from './publish-body.ts';
import { newEventSchema } from '../schemas/event.ts';
import { toStandaloneSchema } from '../routing/schema.ts';

const now = new Date('2026-03-01T12:00:00Z');

const ajv = new Ajv2020({ allErrors: true, strict: false });
ajvFormats.default(ajv);
const fitsSchema = ajv.compile(toStandaloneSchema(newEventSchema));

/** The top-level fields that the schema finds fault with. */
function faultsBySchema(input: unknown): string[] {
  if (fitsSchema(input)) return [];
  return fields(
    (fitsSchema.errors ?? []).map(({ instancePath, params }) => {
      const named = params as { additionalProperty?: string; missingProperty?: string };
      return instancePath === ''
        ? (named.additionalProperty ?? named.missingProperty ?? '')
        : first(instancePath);
    }),
  );
}

function faultsByHand(text: string): string[] {
  try {
    readPublishBody(Buffer.from(text), { now });
    return [];
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return fields(error.violations.map(({ field }) => first(field)));
  }
}

const first = (pointer: string): string =>
  (pointer.split('/')[1] ?? '').replaceAll('~1', '/').replaceAll('~0', '~');
const fields = (names: string[]): string[] => [...new Set(names)].sort();

const anyText = fc.string({ unit: 'binary', maxLength: 5 });
const around = (length: number): fc.Arbitrary<string> =>
  fc.integer({ min: length - 1, max: length + 1 }).map((count) => 'x'.repeat(count));
const label = fc.oneof(fc.string({ maxLength: 8 }), anyText, around(256), fc.constant('😀'.repeat(256)));
const labelName = fc
  .oneof(fc.string({ maxLength: 8 }), anyText, around(128))
  .filter((name) => name !== '__proto__');

/** Mostly right values of a field, with wrong ones among them. */
const field = <T>(right: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 6, arbitrary: right }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 1 }) });

const timeText = fc.oneof(
  fc.date({ min: new Date(0), max: now, noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom(
    '2026-02-29T00:00:00Z',
    '2024-02-29T00:00:00+02:00',
    '2026-01-01',
    'x',
    '2026-13-01T00:00:00Z',
  ),
);
const anyEvent = fc.record(
  {
    type: field(
      fc.oneof(
        fc.constantFrom(
          'order.paid',
          'a',
          'posthorn.x',
          'posthornx.y',
          'posthorn',
          'a..b',
          'a-b_c.D9',
          ' a',
          'a\n',
        ),
        anyText,
        around(128),
      ),
    ),
    data: fc.jsonValue({ maxDepth: 3 }),
    id: field(fc.oneof(fc.constantFrom('a-B_9', 'a b', 'a.b'), anyText, around(64))),
    idempotencyKey: field(fc.oneof(fc.constantFrom('key 1', 'käy', ' ~'), anyText, around(255))),
    occurredAt: field(timeText),
    deliverAt: field(timeText),
    labels: field(fc.dictionary(labelName, field(label), { maxKeys: 4 })),
    subject: field(fc.oneof(anyText, around(255), fc.constant('😀'.repeat(255)))),
    organisation: field(fc.constantFrom('acme', '', 'ä')),
    orderingKey: field(fc.oneof(anyText, around(255), fc.constant(7))),
  },
  { requiredKeys: [] },
);

/** That these two exclude each other is said in words, not by the schema. */
const event = anyEvent.filter((one) => !('deliverAt' in one && 'orderingKey' in one));

describe('reading an event by hand', () => {
  it('finds fault with the same fields as the published schema', () => {
    fc.assert(
      fc.property(
        fc.oneof({ weight: 20, arbitrary: event }, { weight: 1, arbitrary: fc.jsonValue() }),
        (input) => {
          const text = JSON.stringify(input);
          expect(faultsByHand(text)).toEqual(faultsBySchema(JSON.parse(text)));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('counts labels like the published schema', () => {
    for (const count of [50, 51]) {
      const labels = Object.fromEntries(Array.from({ length: count }, (_, index) => [`label-${index}`, 'x']));
      const input = { type: 'a', data: 1, labels };
      expect(faultsByHand(JSON.stringify(input))).toEqual(count > 50 ? ['labels'] : []);
      expect(faultsBySchema(input)).toEqual(count > 50 ? ['labels'] : []);
    }
  });

  it('keeps the bytes of any payload, whatever stands around it', () => {
    const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\r', '\t'), maxLength: 3 });
    fc.assert(
      fc.property(fc.json(), space, space, (payload, before, after) => {
        const text = `{"type":"a",${before}"data"${after}:${before}${payload}${after}}`;
        const { event: read } = readPublishBody(Buffer.from(text), { now });
        expect(Buffer.from(read.data).toString()).toBe(payload);
      }),
    );
  });

  it('never takes what is not JSON', () => {
    const broken = fc.tuple(fc.json(), fc.nat(), fc.string({ unit: 'binary-ascii', maxLength: 2 }));
    fc.assert(
      fc.property(broken, ([payload, place, noise]) => {
        const whole = `{"type":"a","data":${payload}}`;
        const at = place % (whole.length + 1);
        const text = whole.slice(0, at) + noise + whole.slice(at + 1);
        if (faultsByHand(text).length === 0) expect(() => JSON.parse(text) as unknown).not.toThrow();
      }),
      { numRuns: 1000 },
    );
  });
});
