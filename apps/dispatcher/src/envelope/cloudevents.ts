/**
 * CloudEvents 1.0 in binary mode over HTTP: the attributes travel as `ce-` headers, the payload is the body as it is.
 * `ce-source` is `/organisations/{id}`: with `ce-id` it must name an event for ever, so it holds nothing that an
 * operator may change later, such as a host name or a slug.
 *
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md#31-binary-content-mode
 */
import type { Event } from '@posthorn/models';
import type { Envelope } from './message.ts';
import { rawEnvelope } from './raw.ts';

/** The payload as the body, the event's attributes as headers. */
export function cloudEventsEnvelope(event: Event): Envelope {
  const { headers, body } = rawEnvelope(event);
  const attributes = [
    'ce-specversion',
    '1.0',
    'ce-id',
    encodeAttribute(event.id),
    'ce-source',
    encodeAttribute(`/organisations/${event.organisationId}`),
    'ce-type',
    encodeAttribute(event.type),
    'ce-time',
    event.occurredAt.toISOString(),
  ];
  // The specification has no empty subject: an attribute is non-empty or absent.
  if (event.subject) attributes.push('ce-subject', encodeAttribute(event.subject));
  return { headers: [...headers, ...attributes], body };
}

/**
 * A header value by section 3.1.3.2 of the HTTP binding: space, double quote, percent sign and everything outside printable
 * ASCII is percent-encoded as UTF-8, nothing else. A lone surrogate, which UTF-8 can't carry, becomes U+FFFD.
 */
export function encodeAttribute(value: string): string {
  return value
    .toWellFormed()
    .replace(/[^\u0021\u0023\u0024\u0026-\u007e]+/g, (text) =>
      Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(
        '',
      ),
    );
}
