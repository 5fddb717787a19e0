/**
 * A DNS server for tests, on a free UDP port of 127.0.0.1: it answers A and AAAA questions from a zone that the test may change
 * at any time. As much of RFC 1035 as that takes, for questions that come from our own resolver.
 */
import { createSocket } from 'node:dgram';
import { isIP } from 'node:net';

/**
 * What each name has; one that isn't in it doesn't exist. Addresses, of both families; another name that it is an alias of, with what
 * that one is said to have; `hangs`: no answer ever comes; `truncated`: every answer says that it is cut off, and that the rest is to be
 * had over TCP, where nobody listens; `garbled`: the answer ends in the middle of a record.
 */
export type Zone = Record<string, readonly string[] | ZoneAlias | 'hangs' | 'truncated' | 'garbled'>;

export interface ZoneAlias {
  readonly alias: string;
  readonly addresses: readonly string[];
}

export interface NameServer {
  /** `127.0.0.1:port`, as resolvers take it. */
  readonly address: string;
  /** What it answers from; may be changed. */
  readonly zone: Zone;
  /** The names that were asked for, once for each question. */
  readonly questions: readonly string[];
  close(): Promise<void>;
}

const typeA = 1;
const typeAaaa = 28;
const typeCname = 5;
const nameDoesNotExist = 3;
const isTruncated = 0x0200;
const headerBytes = 12;

/** Starts it with a zone and a time to live for all of its answers, in seconds. */
export async function startNameServer(zone: Zone, ttlSeconds = 60): Promise<NameServer> {
  const questions: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const { name, type, end } = readQuestion(query);
    questions.push(name);
    const entry = zone[name];
    if (entry === 'hangs') return;
    const records = recordsOf(entry, type, ttlSeconds);
    const header = Buffer.alloc(headerBytes);
    query.copy(header, 0, 0, 2);
    // A response, authoritative, recursion desired and available.
    header.writeUInt16BE(
      0x8580 | (entry === 'truncated' ? isTruncated : 0) | (entry ? 0 : nameDoesNotExist),
      2,
    );
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    const answer = Buffer.concat([header, query.subarray(headerBytes, end), ...records]);
    socket.send(entry === 'garbled' ? answer.subarray(0, -1) : answer, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${socket.address().port}`,
    zone,
    questions,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = headerBytes;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** In an answer, the name of the question, which always begins at byte 12. */
const questionName = Buffer.from([0xc0, headerBytes]);

function recordsOf(entry: Zone[string] | undefined, type: number, ttlSeconds: number): readonly Buffer[] {
  if (entry === undefined || entry === 'hangs' || entry === 'truncated') return [];
  if (entry === 'garbled') return [record(questionName, typeA, ttlSeconds, Buffer.alloc(4))];
  if ('alias' in entry) {
    const name = nameBytes(entry.alias);
    return [
      record(questionName, typeCname, ttlSeconds, name),
      ...addressRecords(name, type, ttlSeconds, entry.addresses),
    ];
  }
  return addressRecords(questionName, type, ttlSeconds, entry);
}

function addressRecords(
  name: Buffer,
  type: number,
  ttlSeconds: number,
  addresses: readonly string[],
): readonly Buffer[] {
  const family = type === typeAaaa ? 6 : type === typeA ? 4 : 0;
  return addresses
    .filter((address) => isIP(address) === family)
    .map((address) => record(name, type, ttlSeconds, addressBytes(address)));
}

function record(name: Buffer, type: number, ttlSeconds: number, data: Buffer): Buffer {
  const rest = Buffer.alloc(10);
  rest.writeUInt16BE(type, 0);
  rest.writeUInt16BE(1, 2);
  rest.writeUInt32BE(ttlSeconds, 4);
  rest.writeUInt16BE(data.length, 8);
  return Buffer.concat([name, rest, data]);
}

function nameBytes(name: string): Buffer {
  const labels = name
    .split('.')
    .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([...labels, Buffer.from([0])]);
}

function addressBytes(address: string): Buffer {
  return isIP(address) === 4 ? Buffer.from(address.split('.').map(Number)) : ipv6Bytes(address);
}

function ipv6Bytes(address: string): Buffer {
  const [left = [], right = []] = address.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const zeros = Array<string>(8 - left.length - right.length).fill('0');
  const groups = [...left, ...zeros, ...right].map((group) => group.padStart(4, '0'));
  return Buffer.from(groups.join(''), 'hex');
}
