import type { Event } from '@posthorn/models';
import type { Envelope } from './message.ts';

/**
 * The body of Standard Webhooks: `{"type":…,"timestamp":…,"data":…}`. `timestamp` is when the event occurred; `data` is the
 * payload as the very bytes that were published, never parsed and printed again.
 */
export function standardEnvelope(event: Event): Envelope {
  const type = JSON.stringify(event.type);
  const head = `{"type":${type},"timestamp":"${event.occurredAt.toISOString()}","data":`;
  const headBytes = Buffer.byteLength(head);
  const body = Buffer.allocUnsafe(headBytes + event.payload.byteLength + 1);
  body.write(head);
  body.set(event.payload, headBytes);
  body.write('}', body.length - 1);
  return { headers: ['content-type', 'application/json'], body };
}
