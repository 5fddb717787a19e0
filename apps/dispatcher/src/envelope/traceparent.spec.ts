import { createSeededRandom } from '@posthorn/testing';
import { createEnvelopes } from './envelope.ts';
import { headerRecord, sampleOccasion } from './occasion.harness.ts';
import { defaultBranding } from './rapidly.ts';
import { childTraceparent } from './traceparent.ts';

const random = createSeededRandom(1);
const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${trace}-00f067aa0ba902b7-01`;

describe('childTraceparent', () => {
  it('keeps trace and flags, with a span of its own each time', () => {
    const first = childTraceparent(traceparent, random);

    expect(first).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
    expect(first).not.toBe(traceparent);
    expect(childTraceparent(traceparent, random)).not.toBe(first);
  });

  it.each([null, '', 'garbage', `01-${trace}-00f067aa0ba902b7-01`, `${traceparent}-more`])(
    'makes nothing of %j',
    (given) => {
      expect(childTraceparent(given, random)).toBeNull();
    },
  );
});

describe('a request to an endpoint', () => {
  const envelopes = createEnvelopes({
    branding: defaultBranding,
    publicUrl: () => 'https://posthorn.example',
    random,
  });

  it.each([
    ['standard', 'standard'],
    ['ricloud', 'ricloud'],
    ['xurrent', 'xurrent'],
    ['rapidly', 'raw'],
    ['preo', 'preo'],
  ] as const)('of the dialect %s belongs to the trace of its event', (dialect, format) => {
    const headersFor = (event: { traceparent: string | null }) =>
      headerRecord(envelopes.compose(sampleOccasion({ event, endpoint: { dialect, format } })).headers);

    expect(headersFor({ traceparent })['traceparent']).toContain(trace);
    expect(headersFor({ traceparent: null })).not.toHaveProperty('traceparent');
  });
});
