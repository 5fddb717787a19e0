import type { Random } from '@posthorn/runtime';

const form = /^00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})$/;
const noSpan = '0'.repeat(16);

/**
 * The `traceparent` of a request that belongs to a trace, with a span id of its own; null when there is no trace, or none by
 * version 00 of W3C Trace Context.
 */
export function childTraceparent(traceparent: string | null, random: Random): string | null {
  const parts = traceparent === null ? null : form.exec(traceparent);
  if (parts === null) return null;
  const span = Buffer.from(random.bytes(8)).toString('hex');
  // All zeros are no span id.
  return `00-${parts[1]}-${span === noSpan ? '0000000000000001' : span}-${parts[2]}`;
}
