import { randomBytes } from 'node:crypto';
import {
  createKafkaEventLogReader,
  createKafkaEventLogWriter,
  type KafkaEventLogWriter,
} from '@posthorn/event-log';
import { dispatchV1 } from '@posthorn/contracts';
import type { Event } from '@posthorn/models';
import { createInProcessClient } from '@posthorn/rpc';
import { createMetrics, silentLogger, systemClock, systemRandom } from '@posthorn/runtime';
import { startKafka, startMongodb } from '@posthorn/stack';
import { connectMongo, type MongoDatabase } from '@posthorn/mongo';
import { createSeededRandom, eventually } from '@posthorn/testing';
import type { Dispatcher } from '../dispatcher.ts';
import { leaseCollection, type LeaseDocument } from '../ownership/lease-store.mongo.ts';
import { createDispatcher } from '../service.ts';
import {
  createWorld,
  directoryClient,
  endpointsClient,
  keyOf,
  newEvent,
} from '../simulation/simulated-life.harness.ts';
import { createMongoDispatcherStores } from '../stores.mongo.ts';
import type { DispatcherStores } from '../stores.ts';
import type { WebhookClient } from '../webhook-client.ts';

/** Erased on MongoDB, and then read again: the log in Kafka has everything still. */

const patience = { timeoutMs: 60_000, everyMs: 100 };
const name = `posthorn-erasures-${randomBytes(6).toString('hex')}`;
const world = createWorld(createSeededRandom(1), [1]);
const { organisationId } = world;
const observed = { clock: systemClock, logger: silentLogger, metrics: createMetrics() };

let database: MongoDatabase;
let stores: DispatcherStores;
let kafka: Pick<Parameters<typeof createKafkaEventLogReader>[0], 'connection' | 'topic'>;
let writer: KafkaEventLogWriter;
let sent: string[] = [];
const running = new Set<Dispatcher>();

const webhookClient: WebhookClient = {
  send({ headers }) {
    sent.push(headers[headers.indexOf('webhook-id') + 1] ?? '');
    const response = { headers: { 'x-marker': 'marker' }, body: 'marker', truncated: false };
    return Promise.resolve({
      outcome: 'success',
      status: 200,
      error: null,
      response,
      retryAfterMs: null,
      address: '192.0.2.1',
      durationMs: 1,
    });
  },
  close: () => Promise.resolve(),
};

beforeAll(async () => {
  const [{ brokers }, { url }] = await Promise.all([startKafka(), startMongodb()]);
  database = await connectMongo({ url, database: name, ...observed });
  stores = await createMongoDispatcherStores(database);
  kafka = {
    connection: { brokers, clientId: name },
    topic: {
      name,
      create: { partitions: 2, replication: 1, minInsyncReplicas: 1, retentionMs: 604_800_000 },
      dangerouslyAllowWeak: true,
    },
  };
  writer = createKafkaEventLogWriter({ ...kafka, ...observed, metrics: createMetrics() });
  await writer.start();
});
afterAll(async () => {
  for (const dispatcher of running) await dispatcher.stop(AbortSignal.timeout(20_000));
  await writer.stop();
  await database.drop();
  await database.close();
});

async function start(): Promise<Dispatcher> {
  const metrics = createMetrics();
  const dispatcher = createDispatcher({
    ...(await createMongoDispatcherStores(database)),
    log: createKafkaEventLogReader({ ...kafka, ...observed, groupId: name, metrics }),
    clients: { directory: directoryClient(world), endpoints: endpointsClient(world) },
    webhookClient,
    publicUrl: () => 'http://posthorn.test',
    random: systemRandom,
    ...observed,
    metrics,
    leaseTermMs: 3000,
  });
  running.add(dispatcher);
  await dispatcher.start();
  return dispatcher;
}

async function stop(dispatcher: Dispatcher): Promise<void> {
  await dispatcher.stop(AbortSignal.timeout(20_000));
  running.delete(dispatcher);
}

async function publish(over: Partial<Event>): Promise<Event> {
  const now = new Date(systemClock.now());
  const event = { ...newEvent(world), occurredAt: now, acceptedAt: now, ...over };
  await writer.append(event);
  return event;
}

const isOnRecord = async ({ id }: Event): Promise<boolean> =>
  (await stores.events.get(organisationId, id)) !== null;

const deliveriesOf = async (event: Event) =>
  (await stores.deliveries.listDeliveries({ organisationId, event }, { limit: 10, cursor: '' })).items;

it('nothing that was erased comes back when the log is read again from its beginning', async () => {
  const first = await start();
  const bySubject = await publish({ subject: 'someone' });
  const byId = await publish({});
  const kept = await publish({ subject: 'someone else' });
  await eventually(async () => {
    for (const event of [bySubject, byId, kept]) {
      expect((await deliveriesOf(event))[0]?.delivery.state).toBe('succeeded');
    }
  }, patience);

  const client = createInProcessClient(first.erasures, observed);
  const erase = async (over: Partial<dispatchV1.CreateErasureRequest>): Promise<void> => {
    const request = dispatchV1.CreateErasureRequest.create({ organisationId, ...over });
    const { erasure } = await client.createErasure(request, keyOf(organisationId));
    const asked = { organisationId, id: erasure?.id ?? '' };
    await eventually(async () => {
      const seen = await client.getErasure(asked, keyOf(organisationId));
      expect(seen.erasure?.state).toBe(dispatchV1.ErasureState.ERASURE_STATE_SUCCEEDED);
    }, patience);
  };
  await Promise.all([erase({ subject: 'someone' }), erase({ eventId: byId.id })]);
  expect(await isOnRecord(bySubject)).toBe(false);
  expect(await isOnRecord(byId)).toBe(false);
  expect((await deliveriesOf(bySubject))[0]?.lastAttempt).toMatchObject({ status: 200, response: null });
  expect((await deliveriesOf(kept))[0]?.lastAttempt?.response).toMatchObject({ body: 'marker' });
  await stop(first);

  // As if nothing had ever been recorded: the deliveries too, so that only the tombstones stand in the way.
  const leases = await database.open<LeaseDocument>(leaseCollection);
  await leases.updateMany({}, { $set: { next: 0 } });
  await stores.deliveries.sweep(organisationId, new Date(2 ** 47), 1000);
  sent = [];
  const second = await start();
  const later = await publish({ subject: 'someone' });
  await eventually(async () => {
    for (const event of [kept, later]) expect(sent).toContain(event.id);
    for (const event of [bySubject, byId]) {
      expect((await deliveriesOf(event))[0]?.delivery).toMatchObject({
        state: 'cancelled',
        reason: 'erased',
      });
    }
  }, patience);
  expect(new Set(sent)).toEqual(new Set([kept.id, later.id]));
  expect(await isOnRecord(bySubject)).toBe(false);
  expect(await isOnRecord(byId)).toBe(false);
  await stop(second);
});
