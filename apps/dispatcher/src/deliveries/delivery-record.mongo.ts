import type { MongoChange } from '@posthorn/mongo';
import {
  attemptMarks,
  deliveryName,
  toAttemptDocument,
  toDeliveryDocument,
  type DeliveryCollections,
  type DeliveryDocument,
} from './delivery-documents.mongo.ts';
import type { DeliveryRecord, NextPosition } from './delivery-store.ts';

type Insert = Extract<DeliveryRecord, { kind: 'insert' }>;
type Update = Extract<DeliveryRecord, { kind: 'update' }>;

/**
 * Writes outcomes in bulk, without transactions: attempts and new deliveries side by side, what changes a delivery only
 * after its insert, the positions last. Whatever a crash leaves undone is done again when the log is read again from the
 * position that stands, and writing anything twice changes nothing.
 */
export function createRecord({ deliveries, attempts, leases, expiry }: DeliveryCollections) {
  const documentOf = (insert: Insert): DeliveryDocument => toDeliveryDocument(insert, expiry);

  /** Rounds of which none has two records of one delivery. */
  async function writeRound(records: readonly DeliveryRecord[]): Promise<void> {
    const inserts = records.filter((record) => record.kind === 'insert');
    const updates = records.filter((record) => record.kind === 'update');
    const inOrder = inserts.filter(({ order }) => order !== null);
    const free = inserts.filter(({ order }) => order === null);
    const [refusedInOrder, refused] = await Promise.all([
      deliveries.insertInOrder(inOrder.map(documentOf)),
      deliveries.insertMany(free.map(documentOf)),
    ]);
    const there = [
      ...[...refusedInOrder].flatMap((place) => inOrder[place] ?? []),
      ...[...refused].flatMap((place) => free[place] ?? []),
    ];
    await deliveries.updateEach(there.map((insert) => replaceOlder(documentOf(insert))));
    const matched = await deliveries.updateEach(updates.map(whileClaimed));
    if (matched < updates.length) await deliveries.updateEach(updates.flatMap(countAttempt));
  }

  return async (records: readonly DeliveryRecord[], books: readonly NextPosition[]): Promise<void> => {
    const ended = records.flatMap(({ attempt }) =>
      attempt === null ? [] : [toAttemptDocument(attempt, expiry)],
    );
    const written = attempts.insertMany(ended);
    // Awaited below; what fails first is what is told.
    written.catch(() => undefined);
    for (const round of roundsOf(records)) await writeRound(round);
    await written;
    await leases.updateEach(
      books.map(({ partition, epoch, next }) => ({
        filter: { _id: String(partition), epoch },
        update: { $set: { next } },
      })),
    );
  };
}

/** The first record of each delivery, then the second of each, …: nearly always there is one round. */
function roundsOf(records: readonly DeliveryRecord[]): readonly DeliveryRecord[][] {
  const counts = new Map<string, number>();
  const rounds: DeliveryRecord[][] = [];
  for (const record of records) {
    const name = deliveryName(record.delivery);
    const round = counts.get(name) ?? 0;
    counts.set(name, round + 1);
    (rounds[round] ??= []).push(record);
  }
  return rounds;
}

/** What was put on record under an older epoch and hasn't ended is replaced. */
function replaceOlder(document: DeliveryDocument): MongoChange<DeliveryDocument> {
  const { _id, partition, attempts, epoch, state, reason, trigger, finishedAt, ...rest } = document;
  const { lastStatus, attemptEndedAt, nextAttemptAt, claim, orderKey } = rest;
  const present = { nextAttemptAt, claim, orderKey };
  return {
    filter: { _id, partition, epoch: { $lt: epoch }, finishedAt: null },
    update: {
      $set: {
        state,
        reason,
        trigger,
        finishedAt,
        epoch,
        ...whatIs(present),
        ...whatIs({ lastStatus, attemptEndedAt }),
      },
      $max: { attempts },
      ...unsetOf(present),
    },
  };
}

function whileClaimed({
  delivery,
  expectedClaim,
  order,
  claim,
  attempt,
}: Update): MongoChange<DeliveryDocument> {
  const { state, reason, attempts, trigger, finishedAt, nextAttemptAt } = delivery;
  const present = {
    nextAttemptAt: nextAttemptAt ?? undefined,
    claim: claim ?? undefined,
    orderKey: order?.key,
  };
  return {
    filter: { _id: deliveryName(delivery), claim: expectedClaim },
    update: {
      $set: { state, reason, attempts, trigger, finishedAt, ...whatIs(present), ...attemptMarks(attempt) },
      ...unsetOf(present),
    },
  };
}

/** The claim stands no longer: the delivery only learns of its attempt, unless a later one is known. */
function countAttempt({ delivery, attempt }: Update): MongoChange<DeliveryDocument>[] {
  if (attempt === null) return [];
  return [
    {
      filter: { _id: deliveryName(delivery), attempts: { $lte: attempt.number } },
      update: { $set: { attempts: attempt.number, ...attemptMarks(attempt) } },
    },
  ];
}

/** The fields that have a value. */
function whatIs<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** Takes the fields away that have none. */
function unsetOf(fields: object): { readonly $unset?: Readonly<Record<string, ''>> } {
  const absent = Object.entries(fields).filter(([, value]) => value === undefined);
  return absent.length === 0 ? {} : { $unset: Object.fromEntries(absent.map(([name]) => [name, ''])) };
}
