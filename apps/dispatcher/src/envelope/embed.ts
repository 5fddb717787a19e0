import { scanObject } from '@posthorn/models';

/** JSON text around a payload that is embedded as it is, never parsed and printed again. */
export function embedPayload(head: string, payload: Uint8Array, tail: string): Buffer {
  const headBytes = Buffer.byteLength(head);
  const body = Buffer.allocUnsafe(headBytes + payload.byteLength + Buffer.byteLength(tail));
  body.write(head);
  body.set(payload, headBytes);
  body.write(tail, headBytes + payload.byteLength);
  return body;
}

/** The payload's `id` as the JSON text that was published; null when it has none, or one that is neither number nor text. */
export function payloadId(payload: Uint8Array): string | null {
  const scanned = scanObject(payload);
  const member = scanned.ok ? scanned.members.find(({ key }) => key === 'id') : undefined;
  if (member === undefined) return null;
  const text = Buffer.from(payload.subarray(member.start, member.end)).toString();
  return /^["\d-]/.test(text) ? text : null;
}

/** A time with microseconds, as ricloud and preo write it: `2018-11-22T12:59:57.016000Z`. */
export function withMicroseconds(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}
