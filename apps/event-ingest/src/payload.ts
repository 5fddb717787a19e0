import { isUtf8 } from 'node:buffer';
import { maxJsonDepth, type Violation } from '@posthorn/models';

/** A payload that is JSON, or why it isn't one that we take. */
export type ReadPayload =
  { readonly value: unknown; readonly violation?: undefined } | { readonly violation: Violation };

/**
 * Reads a payload as strict JSON: UTF-8, one value, nested at most 128 deep. The bytes themselves travel on; names that
 * come twice within an object are the producer's business and travel too (schemas and filters see the last one).
 */
export function readPayload(data: Uint8Array): ReadPayload {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (bytes.length === 0) return refuse('required', 'This must be given.');
  if (!isUtf8(bytes)) return refuse('encoding', 'This is not valid UTF-8.');
  // Before it is parsed: what uses the value may recurse.
  if (isTooDeep(bytes)) return refuse('too_deep', `JSON may be nested at most ${maxJsonDepth} deep.`);
  try {
    return { value: JSON.parse(bytes.toString('utf8')) };
  } catch {
    return refuse('syntax', 'This is not JSON.');
  }
}

function refuse(code: string, message: string): ReadPayload {
  return { violation: { field: '/data', code, message } };
}

const quote = 0x22;
const backslash = 0x5c;

/** Counts brackets outside of strings; what isn't JSON may be judged wrongly here and is refused by the parser. */
function isTooDeep(bytes: Buffer): boolean {
  let depth = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    if (byte === quote) {
      for (at += 1; at < bytes.length && bytes[at] !== quote; at += 1) if (bytes[at] === backslash) at += 1;
    } else if ((byte | 0x20) === 0x7b) {
      // `[` and `{` differ in this one bit, like `]` and `}`.
      depth += 1;
      if (depth > maxJsonDepth) return true;
    } else if ((byte | 0x20) === 0x7d) depth -= 1;
  }
  return false;
}
