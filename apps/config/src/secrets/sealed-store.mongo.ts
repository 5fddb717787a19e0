import type { MongoCollection, MongoDatabase } from '@posthorn/mongo';
import { replaceResource, type ResourceDocument } from '../stores/document.mongo.ts';
import { keyIdLength } from './keyring.ts';
import { boxPrefix } from './secret-box.ts';
import { sealedKinds, type SealedKind, type SealedRecord, type SealedStore } from './sealed-store.ts';

/** The part of endpoints and policies that is asked for here. Their indexes are those of their own stores. */
interface SealedDocument extends ResourceDocument {
  readonly organisationId: string;
  readonly number: number;
  readonly sealed: string;
}

const collectionNames = { endpoint: 'config_endpoints', policy: 'config_policies' } as const satisfies Record<
  SealedKind,
  string
>;
const projection = { organisationId: 1, number: 1, sealed: 1, writes: 1 } as const;
/** How many are read at a time; the documents are small without what they are about. */
const pageSize = 500;

/** To be made after the stores of endpoints and policies, which make the indexes. */
export async function createMongoSealedStore(database: MongoDatabase): Promise<SealedStore> {
  const open = (kind: SealedKind): Promise<MongoCollection<SealedDocument>> =>
    database.open<SealedDocument>({ name: collectionNames[kind], indexes: [] });
  const collections = { endpoint: await open('endpoint'), policy: await open('policy') };

  async function readPage(kind: SealedKind, beforeNumber: number | null): Promise<readonly SealedRecord[]> {
    const found = await collections[kind].find(
      beforeNumber === null ? {} : { number: { $lt: beforeNumber } },
      {
        limit: pageSize,
        sort: { number: -1 },
        hint: 'by_number',
        projection,
      },
    );
    return found.map(({ _id: id, organisationId, number, sealed, writes }) => ({
      kind,
      id,
      organisationId,
      number,
      sealed,
      writes,
    }));
  }

  /** All of a kind, newest first, page by page. */
  async function* pages(
    kind: SealedKind,
    beforeNumber: number | null = null,
  ): AsyncGenerator<readonly SealedRecord[]> {
    let before = beforeNumber;
    for (;;) {
      const page = await readPage(kind, before);
      const last = page.at(-1);
      if (last === undefined) return;
      yield page;
      before = last.number;
    }
  }

  return {
    async countByKey() {
      const counts = new Map<string, number>();
      for (const kind of sealedKinds) {
        for await (const page of pages(kind)) {
          for (const { sealed } of page) {
            const key = keyIdOf(sealed);
            counts.set(key, (counts.get(key) ?? 0) + 1);
          }
        }
      }
      return counts;
    },

    async list({ kind, exceptKeyId, beforeNumber, limit }) {
      const found: SealedRecord[] = [];
      for await (const page of pages(kind, beforeNumber)) {
        found.push(...page.filter(({ sealed }) => keyIdOf(sealed) !== exceptKeyId));
        if (found.length >= limit) break;
      }
      return found.slice(0, limit);
    },

    async reseal({ kind, id, organisationId, writes }, sealed) {
      const found = { _id: id, organisationId, writes };
      return (await replaceResource(collections[kind], { found, set: { sealed } })) === 'written';
    },
  };
}

function keyIdOf(sealed: string): string {
  return sealed.slice(boxPrefix.length, boxPrefix.length + keyIdLength);
}
