import type { SqliteDatabase } from '@posthorn/sqlite';
import { keyIdLength } from './keyring.ts';
import { boxPrefix } from './secret-box.ts';
import { sealedKinds, type SealedKind, type SealedRecord, type SealedStore } from './sealed-store.ts';

const tables = { endpoint: 'config_endpoints', policy: 'config_policies' } as const satisfies Record<
  SealedKind,
  string
>;
/** The id of the key that sealed it. */
const keyId = `substr(sealed, ${boxPrefix.length + 1}, ${keyIdLength})`;

export function createSqliteSealedStore(database: SqliteDatabase): SealedStore {
  const statements = sealedKinds.map((kind) => ({
    kind,
    count: database.prepare(`SELECT ${keyId} AS key, count(*) AS boxes FROM ${tables[kind]} GROUP BY 1`),
    page: database.prepare(
      `SELECT id, organisation_id, number, sealed, writes FROM ${tables[kind]}
       WHERE number < ? AND ${keyId} <> ? ORDER BY number DESC LIMIT ?`,
    ),
    reseal: database.prepare(
      `UPDATE ${tables[kind]} SET sealed = ?, writes = writes + 1
       WHERE id = ? AND organisation_id = ? AND writes = ?`,
    ),
  }));
  const of = (kind: SealedKind) => {
    const found = statements.find((candidate) => candidate.kind === kind);
    if (found === undefined) throw new TypeError(`nothing of the kind ${kind} is sealed`);
    return found;
  };

  return {
    countByKey() {
      const counts = new Map<string, number>();
      for (const row of statements.flatMap(({ count }) => count.all())) {
        const key = String(row['key']);
        counts.set(key, (counts.get(key) ?? 0) + Number(row['boxes']));
      }
      return Promise.resolve(counts);
    },

    list({ kind, exceptKeyId, beforeNumber, limit }) {
      const rows = of(kind).page.all(beforeNumber ?? Number.MAX_SAFE_INTEGER, exceptKeyId, limit);
      return Promise.resolve(
        rows.map((row): SealedRecord => ({
          kind,
          id: String(row['id']),
          organisationId: String(row['organisation_id']),
          number: Number(row['number']),
          sealed: String(row['sealed']),
          writes: Number(row['writes']),
        })),
      );
    },

    reseal: ({ kind, id, organisationId, writes }, sealed) =>
      database.write(() => of(kind).reseal.run(sealed, id, organisationId, writes).changes > 0),
  };
}
