/**
 * Identifiers: 128 bits in UUID form, the first 48 of them the time in milliseconds, so that sorting by id is sorting by time and
 * inserts stay at the end of an index. The version digit is 4 and the variant that of RFC 9562, which leaves 74 bits that are random
 * (`newId`) or a hash (`deliveryIdOf`, `attemptIdOf`, `derivedId`: the same again whenever the same work is done again).
 *
 * The hash follows MurmurHash3 x86 128, over UTF-16 code units: even and fast, not cryptographic. Whoever may choose event ids can make
 * two deliveries of their own collide; the organisation is part of what is hashed, and no store may look a delivery up without it.
 */

/** A new id from ten random bytes. Ids of different milliseconds sort by time; within one millisecond their order is random. */
export function newId(nowMs: number, randomBytes: (count: number) => Uint8Array): string {
  const random = randomBytes(10);
  const at = (index: number): number => random[index] ?? 0;
  return formatId(
    timeDigits(nowMs),
    (at(0) << 24) | (at(1) << 16) | (at(2) << 8) | at(3),
    (at(4) << 24) | (at(5) << 16) | (at(6) << 8) | at(7),
    (at(8) << 8) | at(9),
  );
}

/** Whether the text is an id in the one form that we write: lower case, version 4, RFC 9562 variant. */
export function isId(text: string): boolean {
  return text.length === 36 && idForm.test(text);
}

/** The time that an id begins with, in milliseconds since 1970. Only for what `isId` accepts. */
export function idTimeMs(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** The lowest id of that millisecond: for range scans that begin at a time. */
export function idFloor(ms: number): string {
  return `${timeDigits(ms)}4000-8000-000000000000`;
}

/** The highest id of that millisecond: for range scans that end with a time. */
export function idCeiling(ms: number): string {
  return `${timeDigits(ms)}4fff-bfff-ffffffffffff`;
}

/** What the id of a delivery is made from, apart from the endpoint. */
export interface DeliveryIdSource {
  readonly acceptedAt: Date;
  readonly organisationId: string;
  readonly eventId: string;
}

/**
 * The ids of one event's deliveries: a function from endpoint id to delivery id that hashes the event's part only once.
 * Deterministic, and sorted by the time at which the event was accepted.
 */
export function createDeliveryIds(event: DeliveryIdSource): (endpointId: string) => string {
  const time = timeDigits(event.acceptedAt.getTime());
  const seed = hash(event.eventId, hash(event.organisationId, unseeded));
  return (endpointId) => formatHash(time, hash(endpointId, seed));
}

/** The id of the delivery of one event to one endpoint: the same whenever it is planned. See `createDeliveryIds` for many endpoints. */
export function deliveryIdOf(source: DeliveryIdSource & { readonly endpointId: string }): string {
  return createDeliveryIds(source)(source.endpointId);
}

/**
 * The id of an attempt: the same for the same delivery, number and salt, and sorted with its delivery. Give a salt where one number may
 * have been used twice, for example by an attempt whose record was lost in a crash.
 */
export function attemptIdOf(deliveryId: string, number: number, salt = ''): string {
  return formatHash(deliveryId.slice(0, 14), hash(`${number}:${salt}`, hash(deliveryId, unseeded)));
}

/** An id for what happened at that time, from texts that tell it apart: the same for the same time and texts. */
export function derivedId(at: Date, parts: readonly string[]): string {
  const seed = parts.reduce((before, part) => hash(part, before), unseeded);
  return formatHash(timeDigits(at.getTime()), seed);
}

const idForm = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** All numbers of 12 bits as three hexadecimal digits: the id's digits after the time come in such groups. */
const hex12 = Array.from({ length: 4096 }, (_, value) => value.toString(16).padStart(3, '0'));

function digits(value: number): string {
  return hex12[value] ?? '000';
}

/** The latest time that 48 bits hold; what lies outside is brought inside, so that a clock gone wild makes no malformed id. */
const maxTimeMs = 2 ** 48 - 1;

function timeDigits(ms: number): string {
  const bounded = Math.min(Math.max(Math.floor(ms) || 0, 0), maxTimeMs);
  const high = Math.floor(bounded / 0x1000000);
  const low = bounded % 0x1000000;
  const third = digits(low >>> 12);
  return (
    digits(high >>> 12) +
    digits(high & 0xfff) +
    third.slice(0, 2) +
    '-' +
    third.slice(2) +
    digits(low & 0xfff) +
    '-'
  );
}

/** An id from its time and 74 bits: all of `a` and `b`, and the lowest ten of `c`. */
function formatId(time: string, a: number, b: number, c: number): string {
  return (
    time +
    '4' +
    digits(a >>> 20) +
    '-' +
    '89ab'.charAt(c & 3) +
    digits((a >>> 8) & 0xfff) +
    '-' +
    digits(((a & 0xff) << 4) | (b >>> 28)) +
    digits((b >>> 16) & 0xfff) +
    digits((b >>> 4) & 0xfff) +
    digits(((b & 0xf) << 8) | ((c >>> 2) & 0xff))
  );
}

type Hash = readonly [number, number, number, number];

const unseeded: Hash = [0, 0, 0, 0];

function formatHash(time: string, [a, b, c]: Hash): string {
  return formatId(time, a, b, c);
}

/** MurmurHash3 x86 128 of a text's UTF-16 code units, each of the four lanes with a seed of its own so that hashes can be chained. */
function hash(text: string, seed: Hash): Hash {
  let [h1, h2, h3, h4] = seed;
  const { length } = text;
  for (let i = 0; i < length; i += 8) {
    h1 = rotl(h1 ^ scramble(pair(text, i), m1, 15, m2), 19) + h2;
    h1 = (Math.imul(h1, 5) + 0x561ccd1b) | 0;
    h2 = rotl(h2 ^ scramble(pair(text, i + 2), m2, 16, m3), 17) + h3;
    h2 = (Math.imul(h2, 5) + 0x0bcaa747) | 0;
    h3 = rotl(h3 ^ scramble(pair(text, i + 4), m3, 17, m4), 15) + h4;
    h3 = (Math.imul(h3, 5) + 0x96cd1c35) | 0;
    h4 = rotl(h4 ^ scramble(pair(text, i + 6), m4, 18, m1), 13) + h1;
    h4 = (Math.imul(h4, 5) + 0x32ac3b17) | 0;
  }
  h1 ^= length;
  h2 ^= length;
  h3 ^= length;
  h4 ^= length;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = (h2 + h1) | 0;
  h3 = (h3 + h1) | 0;
  h4 = (h4 + h1) | 0;
  h1 = avalanche(h1);
  h2 = avalanche(h2);
  h3 = avalanche(h3);
  h4 = avalanche(h4);
  h1 = (h1 + h2 + h3 + h4) | 0;
  return [h1, (h2 + h1) | 0, (h3 + h1) | 0, (h4 + h1) | 0];
}

const m1 = 0x239b961b;
const m2 = 0xab0e9789;
const m3 = 0x38b34ae5;
const m4 = 0xa1e38b93;

/** Two code units as a word; beyond the end they are zero (the last block is padded, and the length is part of the hash). */
function pair(text: string, index: number): number {
  if (index + 1 < text.length) return text.charCodeAt(index) | (text.charCodeAt(index + 1) << 16);
  return index < text.length ? text.charCodeAt(index) : 0;
}

function scramble(word: number, multiplier: number, turn: number, multiplier2: number): number {
  return Math.imul(rotl(Math.imul(word, multiplier), turn), multiplier2);
}

function rotl(word: number, turn: number): number {
  return (word << turn) | (word >>> (32 - turn));
}

function avalanche(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
