import { randomBytes } from 'node:crypto';
import { connectMongo, type MongoDatabase } from '@posthorn/mongo';
import { createMetrics, silentLogger, systemClock } from '@posthorn/runtime';
import { startMongodb } from '@posthorn/stack';
import { reservationStoreContract } from './reservation-store.contract.ts';
import { createMongoReservationStore } from './reservation-store.mongo.ts';

async function connect(): Promise<MongoDatabase> {
  const { url } = await startMongodb();
  return connectMongo({
    url,
    database: `posthorn_ingest_${randomBytes(6).toString('hex')}`,
    clock: systemClock,
    logger: silentLogger,
    metrics: createMetrics(),
    explainable: true,
  });
}

describe('the MongoDB reservation store', () => {
  reservationStoreContract(async () => {
    const database = await connect();
    return {
      store: await createMongoReservationStore(database),
      async close() {
        await database.drop();
        await database.close();
      },
    };
  });

  it('reads by its indexes alone', async () => {
    const database = await connect();
    const store = await createMongoReservationStore(database);
    const reservation = {
      organisationId: 'organisation-1',
      kind: 'key',
      name: 'order-1',
      eventId: 'event-1',
      digest: new Uint8Array(32),
      acceptedAt: new Date('2026-01-01T00:00:00Z'),
      expiresAt: new Date('2026-01-02T00:00:00Z'),
    } as const;
    await store.reserve(reservation);
    const plans = await database.explain(async () => {
      await store.reserve(reservation);
      await store.find(reservation);
      await store.release(reservation);
      await store.sweep(new Date('2026-01-03T00:00:00Z'), 10);
    });
    expect(plans.length).toBeGreaterThan(0);
    expect(plans.filter(({ isUnindexed }) => isUnindexed)).toEqual([]);
    await database.drop();
    await database.close();
  });
});
