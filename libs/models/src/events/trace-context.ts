/** The form of W3C Trace Context (version 00, and what later versions begin with). */
const form = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The `traceparent` of a request as it can be passed on; undefined for none, and for what isn't one, as the specification asks. */
export function readTraceparent(value: string | undefined): string | undefined {
  return value !== undefined && form.test(value) ? value : undefined;
}
