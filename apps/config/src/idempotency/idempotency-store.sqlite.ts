import type { SqliteDatabase } from '@posthorn/sqlite';
import type { Answer, IdempotencyStore, ReservationRequest, ReservationResult } from './idempotency-store.ts';

export function createSqliteIdempotencyStore(database: SqliteDatabase): IdempotencyStore {
  const byKey = database.prepare(
    'SELECT digest, reserved_at, expires_at, answer FROM config_reservations WHERE owner = ? AND key = ?',
  );
  const take = database.prepare(
    `INSERT OR REPLACE INTO config_reservations (owner, key, digest, reservation, reserved_at, expires_at)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const answer = database.prepare(
    'UPDATE config_reservations SET answer = ? WHERE owner = ? AND key = ? AND reservation = ? AND answer IS NULL',
  );
  const free = database.prepare(
    'DELETE FROM config_reservations WHERE owner = ? AND key = ? AND reservation = ? AND answer IS NULL',
  );
  const removeSome = database.prepare(
    `DELETE FROM config_reservations WHERE rowid IN
       (SELECT rowid FROM config_reservations WHERE owner = ? LIMIT ?)`,
  );
  const sweep = database.prepare(
    `DELETE FROM config_reservations WHERE rowid IN
       (SELECT rowid FROM config_reservations WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
  );

  return {
    reserve: (request) =>
      database.write(() => {
        const result = judge(byKey.get(request.owner, request.key), request);
        if (result.outcome === 'reserved') {
          const { owner, key, digest, reservation, now, expiresAt } = request;
          take.run(owner, key, digest, reservation, now.getTime(), expiresAt.getTime());
        }
        return result;
      }),

    complete: ({ owner, key, reservation, answer: given }) =>
      database.writeStatement(() => {
        if (given === null) free.run(owner, key, reservation);
        else answer.run(encodeAnswer(given), owner, key, reservation);
      }),

    deleteSome: (organisationId, limit) =>
      database.writeStatement(() => Number(removeSome.run(organisationId, limit).changes)),

    sweep: (now, limit) => database.writeStatement(() => Number(sweep.run(now.getTime(), limit).changes)),
  };
}

function judge(row: Record<string, unknown> | undefined, request: ReservationRequest): ReservationResult {
  if (row === undefined || Number(row['expires_at']) <= request.now.getTime()) return { outcome: 'reserved' };
  if (Buffer.compare(row['digest'] as Uint8Array, request.digest) !== 0) return { outcome: 'mismatch' };
  const { answer } = row;
  if (typeof answer === 'string') return { outcome: 'answered', answer: decodeAnswer(answer) };
  return Number(row['reserved_at']) < request.staleBefore.getTime()
    ? { outcome: 'reserved' }
    : { outcome: 'in_progress' };
}

function encodeAnswer({ status, headers, body }: Answer): string {
  return JSON.stringify({ status, headers, body: Buffer.from(body).toString('base64') });
}

function decodeAnswer(text: string): Answer {
  const { status, headers, body } = JSON.parse(text) as Omit<Answer, 'body'> & { readonly body: string };
  return { status, headers, body: Buffer.from(body, 'base64') };
}
