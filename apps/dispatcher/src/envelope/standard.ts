import type { Event } from '@posthorn/models';
import { embedPayload } from './embed.ts';
import type { Envelope } from './message.ts';

/**
 * The body of Standard Webhooks: `{"type":…,"timestamp":…,"data":…}`. `timestamp` is when the event occurred; `data` is the
 * payload as the very bytes that were published, never parsed and printed again.
 */
export function standardEnvelope(event: Event): Envelope {
  const type = JSON.stringify(event.type);
  const head = `{"type":${type},"timestamp":"${event.occurredAt.toISOString()}","data":`;
  return {
    headers: ['content-type', 'application/json'],
    body: embedPayload(head, event.payload, '}'),
  };
}
