/**
 * A DNS server for tests, on a free UDP port of 127.0.0.1: it answers A and AAAA questions from a zone that the test may change
 * at any time. As much of RFC 1035 as that takes, for questions that come from our own resolver.
 */
import { createSocket } from 'node:dgram';
import { isIP } from 'node:net';

/** The addresses of each name, of both families; a name that isn't in it doesn't exist; one that hangs is never answered. */
export type Zone = Record<string, readonly string[] | 'hangs'>;

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
const nameDoesNotExist = 3;
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
    const records = (entry ?? [])
      .filter((address) => isIP(address) === (type === typeAaaa ? 6 : type === typeA ? 4 : 0))
      .map((address) => record(type, ttlSeconds, address));
    const header = Buffer.alloc(headerBytes);
    query.copy(header, 0, 0, 2);
    // A response, authoritative, recursion desired and available.
    header.writeUInt16BE(0x8580 | (entry ? 0 : nameDoesNotExist), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    socket.send(
      Buffer.concat([header, query.subarray(headerBytes, end), ...records]),
      from.port,
      from.address,
    );
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

/** An answer whose name points at the question, which always begins at byte 12. */
function record(type: number, ttlSeconds: number, address: string): Buffer {
  const data = type === typeA ? Buffer.from(address.split('.').map(Number)) : ipv6Bytes(address);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc000 | headerBytes, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(ttlSeconds, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function ipv6Bytes(address: string): Buffer {
  const [left = [], right = []] = address.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const zeros = Array<string>(8 - left.length - right.length).fill('0');
  const groups = [...left, ...zeros, ...right].map((group) => group.padStart(4, '0'));
  return Buffer.from(groups.join(''), 'hex');
}
