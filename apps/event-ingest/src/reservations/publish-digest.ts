import { createHash } from 'node:crypto';
import type { ingestV1 } from '@posthorn/contracts';

/**
 * SHA-256 over what a producer said about an event, its id excepted (a publish whose answer got lost may be repeated under
 * the id that the 503 named): two publishes under one name are the same event when their digests are equal. Every part goes in behind its length, so that no two different events share their bytes, and labels
 * in the order of their names. The payload counts as its bytes: other white space is other content.
 */
export function digestOf(event: ingestV1.NewEvent): Uint8Array {
  const hash = createHash('sha256');
  const add = (part: string | Uint8Array | undefined): void => {
    if (part === undefined) {
      hash.update('-');
      return;
    }
    hash.update(`${typeof part === 'string' ? Buffer.byteLength(part) : part.length}:`);
    hash.update(part);
  };
  add(event.idempotencyKey);
  add(event.type);
  add(event.subject);
  add(event.occurredAt?.toISOString());
  for (const key of Object.keys(event.labels).sort()) {
    add(key);
    add(event.labels[key]);
  }
  add(undefined);
  // Absent, they leave no trace: the digests of events without them are what they were before there were any.
  if (event.orderingKey !== undefined) add(`ordering ${event.orderingKey}`);
  if (event.deliverAt !== undefined) add(`deliver at ${event.deliverAt.toISOString()}`);
  add(event.data);
  return hash.digest();
}
