/**
 * Native endpoints: Standard Webhooks, in one of three formats. The body of an event in a format is built once and shared by
 * all deliveries of that event; it lives as long as the event's object.
 */
import type { EndpointFormat, Event, SigningEndpoint } from '@posthorn/models';
import { prepareSigner, webhookHeaders } from '@posthorn/signing';
import { cloudEventsEnvelope } from './cloudevents.ts';
import { customHeaders } from './custom-headers.ts';
import { secondsOf, type DialectEnvelope, type Envelope } from './message.ts';
import { oncePer } from './once-per.ts';
import { rawEnvelope } from './raw.ts';
import { standardEnvelope } from './standard.ts';

export type NativeFormat = Extract<EndpointFormat, 'standard' | 'raw' | 'cloudevents'>;

const builders = {
  standard: standardEnvelope,
  raw: rawEnvelope,
  cloudevents: cloudEventsEnvelope,
} as const satisfies Record<NativeFormat, (event: Event) => Envelope>;

const built: (event: Event) => Partial<Record<NativeFormat, Envelope>> = oncePer(() => ({}));

/** The event in that format; the same object each time for the same event object. */
export function envelopeFor(event: Event, format: NativeFormat): Envelope {
  return (built(event)[format] ??= builders[format](event));
}

const signerOf = oncePer(({ secrets, endpoint }: SigningEndpoint) =>
  prepareSigner(secrets, endpoint.signing),
);

/** The same `webhook-id`, the event's id, on every attempt; a new timestamp and signature on each. */
export const nativeEnvelope: DialectEnvelope = {
  compose({ event, target, at }) {
    const { endpoint } = target;
    const { headers, body } = envelopeFor(event, nativeFormat(endpoint.format));
    const timestampSeconds = secondsOf(at);
    const signature = signerOf(target).sign(event.id, timestampSeconds, [body]);
    return {
      url: endpoint.url,
      headers: [
        webhookHeaders.id,
        event.id,
        webhookHeaders.timestamp,
        String(timestampSeconds),
        webhookHeaders.signature,
        signature,
        ...headers,
        ...customHeaders(endpoint),
      ],
      body,
      signature,
    };
  },
  body: ({ event, target }) => envelopeFor(event, nativeFormat(target.endpoint.format)).body,
};

function nativeFormat(format: EndpointFormat): NativeFormat {
  if (format === 'standard' || format === 'raw' || format === 'cloudevents') return format;
  throw new Error(`${format} is not a format of native endpoints`);
}
