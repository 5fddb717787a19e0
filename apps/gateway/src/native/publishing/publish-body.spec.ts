import { DomainError } from '@posthorn/models';
import { readPublishBody, type PublishBodyOptions, type PublishInput } from './publish-body.ts';

const now = new Date('2026-03-01T12:00:00Z');

function read(text: string | Uint8Array, options: Partial<PublishBodyOptions> = {}): PublishInput {
  return readPublishBody(Buffer.from(text), { now, ...options });
}

/** `field code` of each violation. */
function refusals(text: string | Uint8Array, options: Partial<PublishBodyOptions> = {}): string[] {
  try {
    read(text, options);
  } catch (error) {
    if (error instanceof DomainError && error.code === 'invalid_argument') {
      return error.violations.map(({ field, code }) => `${field} ${code}`);
    }
    throw error;
  }
  return [];
}

const data = (input: PublishInput): string => Buffer.from(input.event.data).toString();

describe('reading an event from a body', () => {
  it('takes everything that an event may have', () => {
    const { event, organisation } = read(
      JSON.stringify({
        type: 'order.paid',
        data: { total: 1 },
        id: 'mine-1',
        idempotencyKey: 'key 1',
        occurredAt: '2026-02-28T23:59:59.123456+01:00',
        deliverAt: '2026-03-01T00:00:00+01:00',
        labels: { region: 'eu', 'a/b~c': '' },
        subject: 'customer-1',
        organisation: 'acme',
      }),
    );
    expect(organisation).toBe('acme');
    expect({ ...event, data: Buffer.from(event.data).toString() }).toEqual({
      id: 'mine-1',
      idFromProducer: true,
      organisationId: '',
      type: 'order.paid',
      data: '{"total":1}',
      labels: { region: 'eu', 'a/b~c': '' },
      subject: 'customer-1',
      idempotencyKey: 'key 1',
      occurredAt: new Date('2026-02-28T22:59:59.123Z'),
      deliverAt: new Date('2026-02-28T23:00:00.000Z'),
    });
  });

  it('leaves out what was not given', () => {
    const { event, organisation } = read('{"type":"a","data":null}');
    expect(event).toMatchObject({ id: '', idFromProducer: false, labels: {} });
    expect([organisation, event.subject, event.idempotencyKey, event.occurredAt]).toEqual(
      Array.from({ length: 4 }, () => undefined),
    );
  });

  it.each([
    '{"z":1.0,"a":12345678901234567890,"n":-0.0e+10}',
    '{ "b" : [ 1 ,\n2 ] ,\t"a":"\\u00e4\\/ä😀" }',
    '{"a":1,"a":2}',
    '"text with } and \\" and ]"',
    'null',
    '-0',
    '[[[]]]',
  ])('cuts %s out as the very bytes that came', (payload) => {
    expect(data(read(` {"type":"a", "data": ${payload} ,"subject":"s"}\n`))).toBe(payload);
    expect(data(read(`{"data":${payload},"type":"a"}`))).toBe(payload);
  });

  it('reads an event that is a part of a larger body, without keeping all of it in memory', () => {
    const event = '{"type":"a","data":{"n":1}}';
    const body = Buffer.from(`${'x'.repeat(10_000)}${event}${'x'.repeat(10_000)}`);
    const input = readPublishBody(body, { now, range: { start: 10_000, end: 10_000 + event.length } });
    expect(data(input)).toBe('{"n":1}');
    expect(input.event.data.buffer).not.toBe(body.buffer);
  });

  it.each([
    ['', ' syntax'],
    ['nonsense', ' syntax'],
    ['{"type":"a","data":{}', ' syntax'],
    ['{"type":"a","data":01}', ' syntax'],
    ["{'type':'a'}", ' syntax'],
    ['{"type":"a","data":{}} {}', ' syntax'],
    ['[]', ' type'],
    ['null', ' type'],
    ['"text"', ' type'],
    ['{"type":"a","data":1,"data":2}', '/data duplicate_key'],
    ['{"type":"a","\\u0074ype":"b","data":1}', '/type duplicate_key'],
    ['{"type":"a","data":1,"labels":{"x":"1","x":"2"}}', '/labels duplicate_key'],
  ])('refuses the body %s', (text, refusal) => {
    expect(refusals(text)).toEqual([refusal]);
  });

  it('refuses what is not UTF-8', () => {
    expect(refusals(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toEqual([' encoding']);
  });

  it('refuses JSON that is nested more than 128 deep, the event included', () => {
    const nested = (depth: number): string => `{"type":"a","data":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    expect(refusals(nested(127))).toEqual([]);
    expect(refusals(nested(128))).toEqual([expect.stringContaining('too_deep')]);
  });

  it('tells everything that is wrong at once', () => {
    const text = JSON.stringify({
      typo: 1,
      type: 7,
      id: '',
      idempotencyKey: null,
      occurredAt: 'yesterday',
      labels: { a: 1, b: 'fine', c: { d: 1 } },
      subject: '',
      organisation: [],
      orderingKey: '',
      deliverAt: '2030-02-29T00:00:00Z',
    });
    expect(refusals(text).sort()).toEqual(
      [
        '/typo unknown_field',
        '/orderingKey too_short',
        '/deliverAt format',
        '/type type',
        '/data required',
        '/id too_short',
        '/idempotencyKey type',
        '/occurredAt format',
        '/labels/a type',
        '/labels/c type',
        '/subject too_short',
        '/organisation type',
      ].sort(),
    );
    expect(refusals('{}')).toEqual(['/data required', '/type required']);
  });

  it.each(['posthorn.endpoint.disabled', 'a..b', 'a b', '', '.a', 'a.', 'ä'])(
    'refuses the type %j',
    (type) => {
      expect(refusals(JSON.stringify({ type, data: 1 }))).toEqual([expect.stringContaining('/type ')]);
    },
  );

  it.each(['__proto__', 'constructor', 'toString'])('knows no field %s', (name) => {
    expect(refusals(`{"type":"a","data":1,"${name}":{}}`)).toEqual([`/${name} unknown_field`]);
  });

  describe('with an Idempotency-Key header', () => {
    it('takes it for the key', () => {
      expect(read('{"type":"a","data":1}', { headerKey: 'k' }).event.idempotencyKey).toBe('k');
      expect(
        read('{"type":"a","data":1,"idempotencyKey":"k"}', { headerKey: 'k' }).event.idempotencyKey,
      ).toBe('k');
    });

    it('refuses one that contradicts the body, or that is no key', () => {
      expect(refusals('{"type":"a","data":1,"idempotencyKey":"other"}', { headerKey: 'k' })).toEqual([
        '/idempotencyKey conflict',
      ]);
      expect(refusals('{"type":"a","data":1}', { headerKey: 'ä' })).toEqual([
        expect.stringContaining('/idempotencyKey '),
      ]);
    });
  });
});
