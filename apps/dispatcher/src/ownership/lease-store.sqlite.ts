import type { SqliteDatabase } from '@posthorn/sqlite';
import type { Lease, LeaseStore, LeftClaim } from './lease-store.ts';

interface LeaseRow {
  readonly partition: number;
  readonly owner: string | null;
  readonly epoch: number;
  readonly beat: number;
  readonly next: number;
  readonly left_claims: string;
}

/**
 * Leases in the embedded database (table: delivery-rows.sqlite.ts). The file is held by one process as long as that lives, so whoever
 * gets as far as asking is the only owner there can be.
 */
export function createSqliteLeaseStore(database: SqliteDatabase): LeaseStore {
  const select = database.prepare<LeaseRow>('SELECT * FROM leases WHERE partition = ?');
  const insert = database.prepare(
    `INSERT INTO leases (partition, owner, epoch, beat, next, left_claims) VALUES (?, ?, 1, 1, 1, '[]')
     ON CONFLICT (partition) DO NOTHING`,
  );
  const take = database.prepare(
    `UPDATE leases SET owner = ?, epoch = epoch + 1, beat = beat + 1
     WHERE partition = ? AND epoch = ? AND beat = ? AND owner IS ?`,
  );
  const renew = database.prepare(
    'UPDATE leases SET beat = beat + 1 WHERE partition = ? AND epoch = ? AND owner IS NOT NULL',
  );
  const giveBack = database.prepare(
    'UPDATE leases SET owner = NULL, left_claims = ? WHERE partition = ? AND epoch = ? AND owner IS NOT NULL',
  );

  function read(partition: number): Lease {
    const row = select.get(partition);
    if (row === undefined) return { partition, owner: null, epoch: 0, beat: 0, next: 1, left: [] };
    const { owner, epoch, beat, next } = row;
    return { partition, owner, epoch, beat, next, left: JSON.parse(row.left_claims) as LeftClaim[] };
  }

  return {
    isExclusive: true,
    find: async (partition) => read(partition),
    take: ({ partition, epoch, beat, owner }, candidate) =>
      database.write(() => {
        const inserted = epoch === 0 && insert.run(partition, candidate).changes > 0;
        if (!inserted && take.run(candidate, partition, epoch, beat, owner).changes === 0) return null;
        return read(partition);
      }),
    renew: (leases) =>
      database.write(() => {
        const stand = leases.filter(({ partition, epoch }) => renew.run(partition, epoch).changes > 0);
        return new Set(stand.map(({ partition }) => partition));
      }),
    giveBack: async ({ partition, epoch, left }) => {
      await database.writeStatement(() => giveBack.run(JSON.stringify(left), partition, epoch));
    },
  };
}
