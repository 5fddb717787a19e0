import type { Event } from '@posthorn/models';
import type { Envelope } from './message.ts';

/** The payload alone, as the very bytes that were published. */
export function rawEnvelope(event: Event): Envelope {
  const { buffer, byteOffset, byteLength } = event.payload;
  return { headers: ['content-type', 'application/json'], body: Buffer.from(buffer, byteOffset, byteLength) };
}
