import type { Violation } from '../errors.ts';
import { checkCount, checkForm } from '../field-check.ts';
import { pointerTo } from '../json/json-pointer.ts';

/** What bounds the custom headers of an endpoint. Lengths are in characters. */
export const headerLimits = { headers: 20, nameLength: 128, valueLength: 4096 } as const;

/**
 * Everything that is wrong with custom request headers: what would break the request or forge what we vouch for is refused. `reserved`
 * are further names, in lower case, that aren't the owner's to set.
 */
export function checkHeaders(
  headers: Readonly<Record<string, string>>,
  field: string,
  reserved: readonly string[] = [],
): readonly Violation[] {
  const entries = Object.entries(headers);
  const names = entries.map(([name]) => name.toLowerCase());
  return [
    ...checkCount(entries.length, field, { max: headerLimits.headers }),
    ...entries.flatMap(([name, value], index) => {
      const at = pointerTo(field, name);
      const isRepeated = names.indexOf(name.toLowerCase()) !== index;
      const repeated = { field: at, code: 'duplicate', message: 'This header is given twice.' };
      return [...checkName(name, at, reserved), ...checkValue(value, at), ...(isRepeated ? [repeated] : [])];
    }),
  ];
}

/** Ours to set, for the body, the connection, tracing and signatures; and the one that no object can keep. */
const ownNames = new Set([
  '__proto__',
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'date',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'te',
  'traceparent',
  'tracestate',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
]);

/** Standard Webhooks, CloudEvents, proxies. */
const ownPrefixes = ['webhook-', 'ce-', 'proxy-'];

/** A token of RFC 9110, section 5.6.2. */
const nameForm = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Visible ASCII with spaces and tabs within: other characters mean something else to every receiver, line ends another header. */
const valueForm = /^(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?$/;

function checkName(name: string, at: string, reserved: readonly string[]): readonly Violation[] {
  if (name.length > headerLimits.nameLength) {
    const message = `The name of a header may have at most ${headerLimits.nameLength} characters.`;
    return [{ field: at, code: 'too_long', message }];
  }
  const lower = name.toLowerCase();
  const isOurs = ownNames.has(lower) || ownPrefixes.some((prefix) => lower.startsWith(prefix));
  if (isOurs || reserved.includes(lower)) {
    return [{ field: at, code: 'reserved', message: `${name} is set by Posthorn itself, or by nobody.` }];
  }
  return checkForm(
    name,
    at,
    nameForm,
    "The name of a header is made of letters, digits and !#$%&'*+-.^_`|~.",
  );
}

function checkValue(value: string, at: string): readonly Violation[] {
  if (value.length > headerLimits.valueLength) {
    const message = `The value of a header may have at most ${headerLimits.valueLength} characters.`;
    return [{ field: at, code: 'too_long', message }];
  }
  const rule = 'The value of a header is printable ASCII, without spaces at its ends.';
  return checkForm(value, at, valueForm, rule);
}
