/**
 * Finds the members of a JSON object, or the elements of an array, as ranges of the bytes that hold them, so that a part of a request
 * (an event's `data`) can travel on as the very bytes that were sent: number text, key order, escapes and white space.
 *
 * It reads the structure only: brackets, strings, commas and colons at the level that was asked for, and depth at all levels. Whether
 * scalars, escapes and nested structures are JSON is for `JSON.parse` to say, and whether the bytes are UTF-8 for a fatal TextDecoder.
 * What passes all three is exactly what this found. Time is linear; nothing here recurses or throws.
 */

/** How deep JSON that we accept may be nested; the outermost object or array counts as 1. */
export const maxJsonDepth = 128;

/** The bytes of a value: from `start` up to, not including, `end`, without white space around it. */
export interface JsonRange {
  readonly start: number;
  readonly end: number;
}

export interface JsonMember extends JsonRange {
  /** The member's name, its escapes resolved. */
  readonly key: string;
}

export type JsonProblemCode =
  /** The value isn't an object (or array) to begin with. */
  | 'wrong_type'
  /** Something else stands where the structure wants a certain character. */
  | 'unexpected'
  /** The text ends within the value. */
  | 'truncated'
  /** A bracket closes what another kind opened. */
  | 'unbalanced'
  | 'too_deep'
  | 'duplicate_key';

/** The first thing that is wrong, and where: `line` and `column` count from 1, the column in bytes. */
export interface JsonProblem {
  readonly code: JsonProblemCode;
  readonly message: string;
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

export type ScannedObject =
  | { readonly ok: true; readonly members: readonly JsonMember[] }
  | { readonly ok: false; readonly problem: JsonProblem };

export type ScannedArray =
  | { readonly ok: true; readonly elements: readonly JsonRange[] }
  | { readonly ok: false; readonly problem: JsonProblem };

export interface JsonScanOptions {
  /** Where the value begins and ends in the bytes; all of them when absent. White space around it is skipped. */
  readonly start?: number;
  readonly end?: number;
  /** Defaults to `maxJsonDepth`. */
  readonly maxDepth?: number;
}

/** The members of the object that the bytes hold, in their order. A name that comes twice is a problem. */
export function scanObject(bytes: Uint8Array, options: JsonScanOptions = {}): ScannedObject {
  const scan = createScan(bytes, options);
  const members: JsonMember[] = [];
  const keys = new Set<string>();
  scanItems(scan, objectForm, (at) => {
    const keyEnd = skipKey(scan, at);
    if (keyEnd < 0) return failed;
    const key = keyText(bytes, at + 1, keyEnd - 1);
    if (keys.has(key)) {
      return fail(scan, 'duplicate_key', at, `The name ${JSON.stringify(key)} stands here a second time.`);
    }
    keys.add(key);
    const start = skipColon(scan, keyEnd);
    const end = start < 0 ? failed : skipValue(scan, start);
    if (end >= 0) members.push({ key, start, end });
    return end;
  });
  return scan.problem === null ? { ok: true, members } : { ok: false, problem: scan.problem };
}

/** The elements of the array that the bytes hold, in their order. */
export function scanArray(bytes: Uint8Array, options: JsonScanOptions = {}): ScannedArray {
  const scan = createScan(bytes, options);
  const elements: JsonRange[] = [];
  scanItems(scan, arrayForm, (start) => {
    const end = skipValue(scan, start);
    if (end >= 0) elements.push({ start, end });
    return end;
  });
  return scan.problem === null ? { ok: true, elements } : { ok: false, problem: scan.problem };
}

const tab = 0x09;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** Positions are indexes into the bytes; these two stand for "a problem was noted" and "the value has ended as it should". */
const failed = -1;
const done = -2;

interface Scan {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly maxDepth: number;
  problem: JsonProblem | null;
}

function createScan(bytes: Uint8Array, { start = 0, end = bytes.length, maxDepth }: JsonScanOptions): Scan {
  const bounded = Math.min(Math.max(end, 0), bytes.length);
  return {
    bytes,
    start: Math.min(Math.max(start, 0), bounded),
    end: bounded,
    maxDepth: maxDepth ?? maxJsonDepth,
    problem: null,
  };
}

/** Notes the first problem. */
function fail(scan: Scan, code: JsonProblemCode, offset: number, message: string): typeof failed {
  let line = 1;
  let lineStart = scan.start;
  for (let i = scan.start; i < offset; i++) {
    if (scan.bytes[i] === lineFeed) {
      line++;
      lineStart = i + 1;
    }
  }
  scan.problem ??= { code, message, offset, line, column: offset - lineStart + 1 };
  return failed;
}

function unexpected(scan: Scan, at: number, wanted: string): typeof failed {
  return at >= scan.end
    ? fail(scan, 'truncated', scan.end, `The text ends where ${wanted} is wanted.`)
    : fail(scan, 'unexpected', at, `Here ${wanted} is wanted.`);
}

function skipSpace(scan: Scan, from: number): number {
  let at = from;
  for (; at < scan.end; at++) {
    const byte = scan.bytes[at];
    if (byte !== space && byte !== lineFeed && byte !== carriageReturn && byte !== tab) break;
  }
  return at;
}

interface ContainerForm {
  readonly opener: number;
  readonly closer: number;
  readonly name: string;
  /** What may follow an item, for people. */
  readonly separators: string;
}

const objectForm: ContainerForm = {
  opener: openBrace,
  closer: closeBrace,
  name: 'an object',
  separators: '"," or "}"',
};
const arrayForm: ContainerForm = {
  opener: openBracket,
  closer: closeBracket,
  name: 'an array',
  separators: '"," or "]"',
};

/** Goes from item to item; `skipItem` is given where one begins and answers where it ends, or `failed`. */
function scanItems(scan: Scan, form: ContainerForm, skipItem: (at: number) => number): void {
  let at = open(scan, form);
  while (at >= 0) {
    const end = skipItem(at);
    at = end < 0 ? failed : nextItem(scan, form, skipSpace(scan, end));
  }
}

/** From the beginning to the first item, or `done` when there is none. */
function open(scan: Scan, { opener, closer, name }: ContainerForm): number {
  const at = skipSpace(scan, scan.start);
  if (at >= scan.end || scan.bytes[at] !== opener) {
    return fail(scan, 'wrong_type', at, `The text isn't ${name}.`);
  }
  if (scan.maxDepth < 1) return tooDeep(scan, at);
  const first = skipSpace(scan, at + 1);
  return first < scan.end && scan.bytes[first] === closer ? close(scan, first) : first;
}

/** From behind an item to the next one, or `done` when it was the last. */
function nextItem(scan: Scan, { closer, separators }: ContainerForm, at: number): number {
  if (at < scan.end && scan.bytes[at] === comma) return skipSpace(scan, at + 1);
  if (at < scan.end && scan.bytes[at] === closer) return close(scan, at);
  return unexpected(scan, at, separators);
}

/** The closing bracket is at this place: nothing but white space may follow. */
function close(scan: Scan, at: number): number {
  const rest = skipSpace(scan, at + 1);
  return rest >= scan.end
    ? done
    : fail(scan, 'unexpected', rest, 'Nothing may stand after the end of the value.');
}

function skipKey(scan: Scan, at: number): number {
  const isQuote = at < scan.end && scan.bytes[at] === quote;
  return isQuote ? skipString(scan, at) : unexpected(scan, at, 'a name in double quotes');
}

/** From behind a name to the value. */
function skipColon(scan: Scan, keyEnd: number): number {
  const at = skipSpace(scan, keyEnd);
  const isColon = at < scan.end && scan.bytes[at] === colon;
  return isColon ? skipSpace(scan, at + 1) : unexpected(scan, at, '":"');
}

/** From an opening quote to just behind the closing one. */
function skipString(scan: Scan, from: number): number {
  const { bytes, end } = scan;
  for (let at = from + 1; at < end; at++) {
    const byte = bytes[at];
    if (byte === quote) return at + 1;
    if (byte === backslash) at++;
  }
  return fail(scan, 'truncated', end, 'The text ends within a string.');
}

/** From the first byte of a value to just behind its last. */
function skipValue(scan: Scan, at: number): number {
  const byte = at < scan.end ? scan.bytes[at] : undefined;
  if (byte === quote) return skipString(scan, at);
  if (byte === openBrace || byte === openBracket) return skipNested(scan, at);
  return skipScalar(scan, at);
}

/** A number, `true`, `false` or `null`, or what claims to be one: up to the next byte that could stand after it. */
function skipScalar(scan: Scan, from: number): number {
  let at = from;
  for (; at < scan.end; at++) {
    const byte = scan.bytes[at];
    if (byte === comma || byte === closeBrace || byte === closeBracket || byte === space) break;
    if (byte === lineFeed || byte === carriageReturn || byte === tab) break;
    if (byte === quote || byte === colon || byte === openBrace || byte === openBracket) {
      return unexpected(scan, at, 'the end of the value before');
    }
  }
  return at === from ? unexpected(scan, at, 'a value') : at;
}

/** An object or array within the one that is scanned: its brackets must fit each other, and not be too deep. */
function skipNested(scan: Scan, from: number): number {
  const { bytes, end } = scan;
  const deepest = scan.maxDepth - 1;
  const closers: number[] = [];
  for (let at = from; at < end; at++) {
    const byte = bytes[at];
    if (byte === quote) {
      at = skipString(scan, at) - 1;
      if (at < 0) return failed;
    } else if (byte === openBrace || byte === openBracket) {
      if (closers.length === deepest) return tooDeep(scan, at);
      closers.push(byte + 2);
    } else if (byte === closeBrace || byte === closeBracket) {
      if (closers.pop() !== byte) {
        return fail(
          scan,
          'unbalanced',
          at,
          `This "${String.fromCharCode(byte)}" closes what another kind of bracket opened.`,
        );
      }
      if (closers.length === 0) return at + 1;
    }
  }
  return fail(scan, 'truncated', end, 'The text ends within an object or array.');
}

function tooDeep(scan: Scan, at: number): typeof failed {
  return fail(scan, 'too_deep', at, `JSON may be nested at most ${scan.maxDepth} deep.`);
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The text between a name's quotes. Plain ASCII, which is nearly all names, is read byte by byte. */
function keyText(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === backslash || byte > 0x7e) return escapedText(decoder.decode(bytes.subarray(start, end)));
    text += String.fromCharCode(byte);
  }
  return text;
}

/** With its escapes resolved; as it stands when they are none, which `JSON.parse` of the whole will refuse. */
function escapedText(raw: string): string {
  try {
    const text: unknown = JSON.parse(`"${raw}"`);
    return typeof text === 'string' ? text : raw;
  } catch {
    return raw;
  }
}
