/** Values as pydantic 2 reads them, with its types and texts for what it refuses. */
import { readTime } from '../../native/routing/rfc3339.ts';

/** Why a value is refused: pydantic's type and text. `at` is where in the value. */
export interface Fault {
  readonly type: string;
  readonly msg: string;
  readonly at?: number;
  /** Of the part that is refused; the whole value when absent. */
  readonly input?: unknown;
}

/** What became of a value. */
export type Read<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly faults: readonly Fault[] };
export type Reader<T> = (value: unknown) => Read<T>;

const good = <T>(value: T): Read<T> => ({ ok: true, value });
const bad = (type: string, msg: string): { readonly ok: false; readonly faults: readonly Fault[] } => ({
  ok: false,
  faults: [{ type, msg }],
});

export const readUuid: Reader<string> = (value) => {
  if (typeof value !== 'string')
    return bad('uuid_type', 'UUID input should be a string, bytes or UUID object');
  const problem = uuidProblem(value);
  return problem === null
    ? good(canonicalUuid(value))
    : bad('uuid_parsing', `Input should be a valid UUID, ${problem}`);
};

/** As 32 digits, or as groups of 8-4-4-4-12. */
function uuidProblem(text: string): string | null {
  const at = [...text].findIndex((character) => !/[0-9a-fA-F-]/.test(character));
  if (at !== -1) {
    const found = [...text][at] ?? '';
    return `invalid character: expected an optional prefix of \`urn:uuid:\` followed by [0-9a-fA-F-], found \`${found}\` at ${at + 1}`;
  }
  const groups = text.split('-');
  if (groups.length === 1) {
    return text.length === 32
      ? null
      : `invalid length: expected length 32 for simple format, found ${text.length}`;
  }
  if (groups.length !== 5) return `invalid group count: expected 5, found ${groups.length}`;
  const wrong = [8, 4, 4, 4, 12].findIndex((length, group) => groups[group]?.length !== length);
  if (wrong === -1) return null;
  const expected = [8, 4, 4, 4, 12][wrong] ?? 0;
  return `invalid group length in group ${wrong}: expected ${expected}, found ${groups[wrong]?.length ?? 0}`;
}

function canonicalUuid(text: string): string {
  const digits = text.replaceAll('-', '').toLowerCase();
  return [0, 8, 12, 16, 20].map((from, group) => digits.slice(from, [8, 12, 16, 20, 32][group])).join('-');
}

/** A text of `min` to `max` characters. */
export function readText(min: number, max: number): Reader<string> {
  return (value) => {
    if (typeof value !== 'string') return bad('string_type', 'Input should be a valid string');
    const length = [...value].length;
    if (length < min) return bad('string_too_short', `String should have at least ${min} characters`);
    return length > max
      ? bad('string_too_long', `String should have at most ${max} characters`)
      : good(value);
  };
}

const maxUrlLength = 2083;

/** An https URL with a host. */
export const readUrl: Reader<string> = (value) => {
  if (typeof value !== 'string') return bad('url_type', 'URL input should be a string or URL');
  const text = value.trim();
  if (text === '') return bad('url_parsing', 'Input should be a valid URL, input is empty');
  if ([...text].length > maxUrlLength)
    return bad('url_too_long', `URL should have at most ${maxUrlLength} characters`);
  if (!/^[a-z][a-z0-9+.-]*:/i.test(text))
    return bad('url_parsing', 'Input should be a valid URL, relative URL without a base');
  if (!URL.canParse(text)) return bad('url_parsing', 'Input should be a valid URL, empty host');
  const { protocol, hostname } = new URL(text);
  if (protocol !== 'https:') return bad('url_scheme', "URL scheme should be 'https'");
  return hostname === '' ? bad('url_parsing', 'Input should be a valid URL, empty host') : good(text);
};

/** One of these texts. */
export function readChoice<const T extends string>(choices: readonly T[]): Reader<T> {
  const quoted = choices.map((choice) => `'${choice}'`);
  const listed = `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1) ?? ''}`;
  return (value) => {
    const known = choices.find((choice) => choice === value);
    return known === undefined ? bad('enum', `Input should be ${listed}`) : good(known);
  };
}

/** A list with at least one item, without repetitions. */
export function readList<T>(read: Reader<T>): Reader<readonly T[]> {
  return (value) => {
    if (!Array.isArray(value)) return bad('list_type', 'Input should be a valid list');
    if (value.length === 0)
      return bad('too_short', 'List should have at least 1 item after validation, not 0');
    return readAll(value, read);
  };
}

/** All values of a parameter that may be repeated. */
export function readAll<T>(values: readonly unknown[], read: Reader<T>): Read<readonly T[]> {
  const results = values.map((value) => read(value));
  const faults = results.flatMap((result, at) =>
    result.ok ? [] : result.faults.map((fault) => ({ ...fault, at, input: values[at] })),
  );
  if (faults.length > 0) return { ok: false, faults };
  return good([...new Set(results.flatMap((result) => (result.ok ? [result.value] : [])))]);
}

/** `true` and `false`, and what pydantic takes for them. */
export const readBoolean: Reader<boolean> = (value) => {
  const plain = typeof value === 'string' ? value.toLowerCase() : value;
  if ([true, 1, '1', 't', 'true', 'y', 'yes', 'on'].some((known) => known === plain)) return good(true);
  if ([false, 0, '0', 'f', 'false', 'n', 'no', 'off'].some((known) => known === plain)) return good(false);
  return typeof value === 'string' || typeof value === 'number'
    ? bad('bool_parsing', 'Input should be a valid boolean, unable to interpret input')
    : bad('bool_type', 'Input should be a valid boolean');
};

/** A whole number of 1 or more, as text. */
export const readPositive: Reader<number> = (value) => {
  if (typeof value !== 'string' || !/^\s*[+-]?\d{1,1000}\s*$/.test(value)) {
    return bad('int_parsing', 'Input should be a valid integer, unable to parse string as an integer');
  }
  const number = Number(value);
  return number > 0 ? good(number) : bad('greater_than', 'Input should be greater than 0');
};

/** A moment with a time zone: RFC 3339, or seconds since 1970. */
export const readAwareTime: Reader<Date> = (value) => {
  const text = String(value);
  if (/^\d{1,11}(?:\.\d{1,9})?$/.test(text)) return good(new Date(Number(text) * 1000));
  const at = readTime(text.replace(' ', 'T'));
  if (at !== null) return good(at);
  const isNaive = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?$/.test(text);
  const date = isNaive ? readTime(`${text.slice(0, 10)}T00:00:00Z`) : null;
  return date === null
    ? bad('datetime_from_date_parsing', 'Input should be a valid datetime or date')
    : bad('timezone_aware', 'Input should have timezone info');
};
