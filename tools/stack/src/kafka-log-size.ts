/** How much of a broker's disk a topic takes: one DescribeLogDirs request, version 1, of which indexes are no part. */
import { exchange } from './exchange.ts';
import { peersOf } from './given-server.ts';
import type { Peer } from './exchange.ts';

const describeLogDirsKey = 35;
const describeLogDirsVersion = 1;
const correlationId = 1;
const defaultPort = 9092;

/** Bytes of a topic's log on these brokers, as `host:port`: each counts the replicas that it has itself. */
export async function kafkaLogBytes(brokers: readonly string[], topic: string): Promise<number> {
  const sizes = await Promise.all(peersOf(brokers.join(','), defaultPort).map((peer) => ask(peer, topic)));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

async function ask(peer: Peer, topic: string): Promise<number> {
  const reply = await exchange(peer, request(), (start) => 4 + start.readInt32BE(0));
  if (reply.length < 16 || reply.readInt32BE(4) !== correlationId) {
    throw new Error(`${peer.host}:${peer.port} doesn't speak Kafka's protocol`);
  }
  return bytesOf(reply, topic);
}

function request(): Buffer {
  const noClientId = [0xff, 0xff];
  const allTopics = [0xff, 0xff, 0xff, 0xff];
  const body = Buffer.from([
    ...[0, describeLogDirsKey, 0, describeLogDirsVersion],
    ...[0, 0, 0, correlationId],
    ...noClientId,
    ...allTopics,
  ]);
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** Adds up the topic's partitions in a reply, over all directories of the broker. */
export function bytesOf(reply: Buffer, topic: string): number {
  // After the length, the correlation id and the throttle time.
  let at = 12;
  const int16 = (): number => reply.readInt16BE((at += 2) - 2);
  const int32 = (): number => reply.readInt32BE((at += 4) - 4);
  const int64 = (): number => Number(reply.readBigInt64BE((at += 8) - 8));
  const text = (): string => {
    const length = int16();
    return reply.toString('utf8', at, (at += length));
  };
  let bytes = 0;
  for (let directories = int32(); directories > 0; directories -= 1) {
    const error = int16();
    const directory = text();
    if (error !== 0) throw new Error(`The broker can't tell the sizes in ${directory}: error ${error}`);
    for (let topics = int32(); topics > 0; topics -= 1) {
      const name = text();
      for (let partitions = int32(); partitions > 0; partitions -= 1) {
        int32(); // its number
        const size = int64();
        int64(); // how far it lags behind
        at += 1; // whether it is being moved
        if (name === topic) bytes += size;
      }
    }
  }
  return bytes;
}
