import { dialectRules, type Endpoint, type EndpointFormat, type Event } from '@posthorn/models';
import { envelopeFor, requestHeaders, type HeaderList } from './envelope.ts';

const event: Event = {
  id: '01890a5d-ac96-4774-bcce-b302099a8057',
  organisationId: '5f0c8a3e-0d4b-4f0e-9d2a-6a3c1b2d4e5f',
  type: 'order.paid',
  payload: Buffer.from('{ "b": 1.0, "a": 12345678901234567890, "text": "\\u00e9\\/" }'),
  labels: {},
  subject: null,
  idempotencyKey: null,
  orderingKey: null,
  routesTo: null,
  traceparent: null,
  occurredAt: new Date('2026-03-04T05:06:07.008Z'),
  acceptedAt: new Date('2026-03-04T05:06:08.000Z'),
};

const endpoint: Endpoint = {
  id: 'b4a6b1b0-0000-4000-8000-000000000000',
  number: 1,
  organisationId: event.organisationId,
  dialect: 'standard',
  uid: null,
  url: 'https://receiver.example/hook',
  name: '',
  description: '',
  state: 'enabled',
  stateReason: null,
  verification: 'none',
  verificationId: null,
  verificationExpiresAt: null,
  eventTypes: null,
  labels: null,
  filterJson: null,
  editionId: null,
  format: 'standard',
  signing: ['v1'],
  policyId: null,
  headers: {},
  timeoutMs: 15_000,
  retryDelaysMs: [],
  maxInFlight: 10,
  metadata: {},
  version: 1,
  createdAt: new Date(0),
  updatedAt: new Date(0),
};

function headersOf(
  format: EndpointFormat,
  changes: { event?: Partial<Event>; headers?: Record<string, string> } = {},
): HeaderList {
  return requestHeaders({
    envelope: envelopeFor({ ...event, ...changes.event }, format),
    endpoint: { ...endpoint, format, headers: changes.headers ?? {} },
    eventId: event.id,
    timestampSeconds: 1_767_225_600,
    signature: 'v1,abc',
  });
}

function toRecord(list: HeaderList): Record<string, string> {
  const names = list.filter((_, index) => index % 2 === 0);
  expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
  return Object.fromEntries(names.map((name, index) => [name, list[index * 2 + 1] ?? '']));
}

describe('envelopeFor', () => {
  it('wraps the very bytes of the payload in the standard format', () => {
    expect(envelopeFor(event, 'standard').body.toString()).toBe(
      `{"type":"order.paid","timestamp":"2026-03-04T05:06:07.008Z","data":${Buffer.from(event.payload).toString()}}`,
    );
  });

  it.each(['raw', 'cloudevents'] as const)(
    'sends the very bytes of the payload alone in the format %s',
    (format) => {
      expect(envelopeFor(event, format).body.equals(event.payload)).toBe(true);
    },
  );

  it('takes only its own bytes of a payload that lies in a larger buffer', () => {
    const block = Buffer.from('xx{"a":1}yy');
    const within = { ...event, payload: new Uint8Array(block.buffer, block.byteOffset + 2, 7) };
    expect(envelopeFor(within, 'raw').body.toString()).toBe('{"a":1}');
    expect(JSON.parse(envelopeFor(within, 'standard').body.toString())).toMatchObject({ data: { a: 1 } });
  });

  it('escapes a type that JSON must escape', () => {
    const odd = { ...event, type: 'a"b\\é' };
    expect(JSON.parse(envelopeFor(odd, 'standard').body.toString())).toMatchObject({ type: 'a"b\\é' });
  });

  it.each(dialectRules.standard.formats)('builds the body of an event once in the format %s', (format) => {
    expect(envelopeFor(event, format)).toBe(envelopeFor(event, format));
    expect(envelopeFor(event, format)).not.toBe(envelopeFor({ ...event }, format));
  });
});

describe('requestHeaders', () => {
  it.each(['standard', 'raw'] as const)(
    'sends the webhook headers and the content type in the format %s',
    (format) => {
      expect(toRecord(headersOf(format))).toEqual({
        'webhook-id': event.id,
        'webhook-timestamp': '1767225600',
        'webhook-signature': 'v1,abc',
        'content-type': 'application/json',
      });
    },
  );

  it('sends the attributes of CloudEvents 1.0 in binary mode', () => {
    expect(toRecord(headersOf('cloudevents', { event: { subject: 'customer 42' } }))).toEqual({
      'webhook-id': event.id,
      'webhook-timestamp': '1767225600',
      'webhook-signature': 'v1,abc',
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': event.id,
      'ce-source': `/organisations/${event.organisationId}`,
      'ce-type': 'order.paid',
      'ce-time': '2026-03-04T05:06:07.008Z',
      'ce-subject': 'customer%2042',
    });
  });

  it.each([null, ''])('sends no subject for the subject %j', (subject) => {
    expect(toRecord(headersOf('cloudevents', { event: { subject } }))).not.toHaveProperty('ce-subject');
  });

  it('adds the headers of the endpoint', () => {
    expect(
      toRecord(headersOf('standard', { headers: { Authorization: 'Bearer x', 'x-tenant': '7' } })),
    ).toMatchObject({
      Authorization: 'Bearer x',
      'x-tenant': '7',
    });
  });

  it('never lets a header of the endpoint override ours or change the framing', () => {
    const headers = {
      'Webhook-Id': 'mine',
      'webhook-anything': 'mine',
      'Content-Type': 'text/plain',
      'CE-ID': 'mine',
      'User-Agent': 'mine',
      Host: 'internal',
      'Content-Length': '0',
      'Transfer-Encoding': 'chunked',
      Connection: 'close',
      Expect: '100-continue',
    };
    expect(headersOf('cloudevents', { headers })).toEqual(headersOf('cloudevents'));
  });
});
