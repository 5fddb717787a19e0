import { dialectRules, type EndpointFormat, type Event } from '@posthorn/models';
import type { HeaderList } from './envelope.ts';
import { envelopeFor, nativeEnvelope } from './native.ts';
import { headerRecord, sampleOccasion } from './occasion.harness.ts';

const { event } = sampleOccasion();

function headersOf(
  format: EndpointFormat,
  changes: { event?: Partial<Event>; headers?: Record<string, string> } = {},
): HeaderList {
  const occasion = sampleOccasion({
    event: { ...changes.event },
    endpoint: { format, signing: ['v1'], headers: changes.headers ?? {} },
    secrets: [
      {
        scheme: 'v1',
        secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
        createdAt: new Date(0),
        expiresAt: null,
      },
    ],
  });
  return nativeEnvelope.compose(occasion).headers;
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

describe('the headers of a request', () => {
  it.each(['standard', 'raw'] as const)(
    'sends the webhook headers and the content type in the format %s',
    (format) => {
      expect(headerRecord(headersOf(format))).toEqual({
        'webhook-id': event.id,
        'webhook-timestamp': '1700000000',
        'webhook-signature': expect.stringMatching(/^v1,[\w+/]{43}=$/),
        'content-type': 'application/json',
      });
    },
  );

  it('sends the attributes of CloudEvents 1.0 in binary mode', () => {
    expect(headerRecord(headersOf('cloudevents', { event: { subject: 'customer 42' } }))).toEqual({
      'webhook-id': event.id,
      'webhook-timestamp': '1700000000',
      'webhook-signature': expect.stringMatching(/^v1,[\w+/]{43}=$/),
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
    expect(headerRecord(headersOf('cloudevents', { event: { subject } }))).not.toHaveProperty('ce-subject');
  });

  it('adds the headers of the endpoint', () => {
    expect(
      headerRecord(headersOf('standard', { headers: { Authorization: 'Bearer x', 'x-tenant': '7' } })),
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
      traceparent: 'mine',
      'X-Webhook-Signature': 'mine',
      'Ricloud-Signature': 'mine',
      'X-4me-Delivery': 'mine',
    };
    expect(headersOf('cloudevents', { headers })).toEqual(headersOf('cloudevents'));
  });
});
