/** How many documents the collections of a database have, and how many bytes: as the server says it (`collStats`). */
import type { BsonOutput } from './bson.ts';
import type { Peer } from './exchange.ts';
import { mongodbPeersOf } from './given-server.ts';
import { runCommand } from './mongodb-probe.ts';

export interface CollectionSize {
  readonly name: string;
  readonly documents: number;
  /** Of the documents as BSON, which doesn't depend on the server. */
  readonly dataBytes: number;
  /** Of all indexes; what that means depends on the server: compressed pages, or keys. */
  readonly indexBytes: number;
}

/**
 * Asks the primary for the sizes of all collections of a database.
 *
 * @throws Error when the server wants to know first who asks, over TLS or with a password
 */
export async function mongodbSizes(url: string, database: string): Promise<readonly CollectionSize[]> {
  const peers = mongodbPeersOf(url);
  if (peers.length === 0) throw new Error('MongoDB tells sizes over TLS only');
  return Promise.any(peers.map((peer) => sizesAt(peer, database)));
}

async function sizesAt(peer: Peer, database: string): Promise<readonly CollectionSize[]> {
  const listed = await ask(peer, { listCollections: 1, nameOnly: true }, database);
  const cursor = listed.get('cursor');
  const found = cursor instanceof Map ? (cursor as BsonOutput).get('firstBatch') : undefined;
  const names = found instanceof Map ? [...found.values()].map(nameOf).sort() : [];
  return Promise.all(
    names.map(async (name) => {
      const sizes = await ask(peer, { collStats: name }, database);
      const number = (field: string): number => Number(sizes.get(field) ?? 0);
      return {
        name,
        documents: number('count'),
        dataBytes: number('size'),
        indexBytes: number('totalIndexSize'),
      };
    }),
  );
}

function nameOf(collection: unknown): string {
  return collection instanceof Map ? String(collection.get('name')) : '';
}

async function ask(...[peer, body, database]: Parameters<typeof runCommand>): Promise<BsonOutput> {
  const answer = await runCommand(peer, body, database);
  if (answer.get('ok') !== 1) throw new Error(`MongoDB doesn't tell sizes: ${String(answer.get('errmsg'))}`);
  return answer;
}
