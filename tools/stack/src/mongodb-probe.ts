/** As much of MongoDB's wire protocol as it takes to ask whether a server serves, and to make it a replica set. */
import { readBson, writeBson } from './bson.ts';
import type { BsonInput, BsonOutput } from './bson.ts';
import { exchange } from './exchange.ts';
import type { Peer } from './exchange.ts';

const opMsg = 2013;
const headerBytes = 16;
/** The flags of a message, and the kind of its only section. */
const beforeBody = 5;
const alreadyInitialized = 23;

/**
 * Asks whether it takes writes as a replica set does, and which version it is.
 *
 * @returns the version that it says it is, as `8.2.1`; null when it doesn't tell strangers
 * @throws Error when it doesn't answer, takes no writes (yet), or stands alone
 */
export async function probeMongodb(peer: Peer): Promise<string | null> {
  const hello = await runCommand(peer, { hello: 1 });
  if (hello.get('isWritablePrimary') !== true) {
    throw new Error(`${peer.host}:${peer.port} takes no writes yet`);
  }
  // A member of a set names it; a router to several sets says what it is.
  if (typeof hello.get('setName') !== 'string' && hello.get('msg') !== 'isdbgrid') {
    throw new Error(
      `${peer.host}:${peer.port} has to be a replica set, if only of one: mongod --replSet, then rs.initiate()`,
    );
  }
  const version = (await runCommand(peer, { buildInfo: 1 })).get('version');
  return typeof version === 'string' ? version : null;
}

/** Makes a server that was started with `--replSet` the only member of its set; fine if it is that already. */
export async function initiateReplicaSet(peer: Peer, name: string): Promise<void> {
  const member = { _id: 0, host: `${peer.host}:${peer.port}` };
  const answer = await runCommand(peer, { replSetInitiate: { _id: name, members: [member] } });
  if (answer.get('ok') !== 1 && answer.get('code') !== alreadyInitialized) {
    throw new Error(`The replica set couldn't be initiated: ${String(answer.get('errmsg'))}`);
  }
}

/** Runs a command on a database, and answers what the server said, errors as well. */
export async function runCommand(peer: Peer, body: BsonInput, database = 'admin'): Promise<BsonOutput> {
  const content = writeBson({ ...body, $db: database });
  const message = Buffer.alloc(headerBytes + beforeBody);
  message.writeInt32LE(message.length + content.length, 0);
  message.writeInt32LE(1, 4);
  message.writeInt32LE(opMsg, 12);
  const reply = await exchange(peer, Buffer.concat([message, content]), (start) => start.readInt32LE(0));
  if (reply.length < headerBytes + beforeBody || reply.readInt32LE(12) !== opMsg) {
    throw new Error(`${peer.host}:${peer.port} doesn't speak MongoDB's protocol`);
  }
  return readBson(reply.subarray(headerBytes + beforeBody));
}
