/** As much of Kafka's protocol as it takes to ask a broker whether it serves: one Metadata request, version 5. */
import { exchange } from './exchange.ts';
import type { Peer } from './exchange.ts';

const metadataKey = 3;
const metadataVersion = 5;
const correlationId = 1;

/**
 * Asks for the brokers of the cluster.
 *
 * @throws Error when it doesn't answer, or knows of no broker yet: one that starts takes connections before it serves
 */
export async function probeKafka(peer: Peer): Promise<void> {
  const reply = await exchange(peer, metadataRequest(), (start) => 4 + start.readInt32BE(0));
  if (reply.length < 16 || reply.readInt32BE(4) !== correlationId) {
    throw new Error(`${peer.host}:${peer.port} doesn't speak Kafka's protocol`);
  }
  // The header (length and correlation id), the throttle time, then the array of brokers.
  if (reply.readInt32BE(12) < 1) throw new Error(`${peer.host}:${peer.port} knows of no broker yet`);
}

function metadataRequest(): Buffer {
  const noTopics = [0, 0, 0, 0];
  const noTopicIsMade = [0];
  const noClientId = [0xff, 0xff];
  const body = Buffer.from([
    ...[0, metadataKey, 0, metadataVersion],
    ...[0, 0, 0, correlationId],
    ...noClientId,
    ...noTopics,
    ...noTopicIsMade,
  ]);
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}
