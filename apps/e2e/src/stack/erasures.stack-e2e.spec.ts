/**
 * Erasures over the network services: what was erased is in no collection of the database, nothing of it is sent any more, and a
 * dispatcher that knew nothing of it, because it was suspended or had been killed, brings nothing back.
 */
import { randomUUID } from 'node:crypto';
import { serialize } from 'node:v8';
import { connectMongo, type MongoDatabase } from '@posthorn/mongo';
import { createMetrics, silentLogger, systemClock } from '@posthorn/runtime';
import { startStackPlatform, type ServiceProcess, type StackPlatform } from '@posthorn/stack';
import { eventually, respond, respondBy, startReceiver, type Receiver } from '@posthorn/testing';
import { createRestClient } from '../rest-client.ts';
import { createTenant, patienceMs, type AttemptAnswer, type PageAnswer, type Tenant } from '../tenant.ts';

interface ErasureAnswer {
  readonly id: string;
  readonly state: string;
  readonly finishedAt: string | null;
}

interface ReplayAnswer {
  readonly id: string;
  readonly finishedAt: string | null;
  readonly progress: { readonly done: number };
}

const patience = { timeoutMs: patienceMs, everyMs: 100 };
const everything = { limit: 10_000 };

let platform: StackPlatform;
let database: MongoDatabase;
let receiver: Receiver;
let tenant: Tenant;

beforeAll(async () => {
  platform = await startStackPlatform({ counts: { dispatcher: 2 }, security: 'tokens' });
  database = await connectMongo({
    url: platform.mongodb.url,
    database: 'posthorn',
    clock: systemClock,
    logger: silentLogger,
    metrics: createMetrics(),
  });
});
afterAll(async () => {
  await database.close();
  await platform.dispose();
});
beforeEach(async () => {
  receiver = await startReceiver();
  tenant = await platform.explain(() => patiently(() => createTenant(platform)));
});
afterEach(() => receiver.close());

/** A busy machine answers 503 now and then, and a suspended dispatcher not at all. */
function patiently<T>(work: () => Promise<T>): Promise<T> {
  return eventually(work, patience);
}

/** The collections in which a text stands, as it is or in bytes. */
async function collectionsWith(text: string): Promise<readonly string[]> {
  const found = [];
  for (const name of await database.collectionNames()) {
    const collection = await database.open({ name, indexes: [] });
    const documents = await collection.find({}, everything);
    if (serialize(documents).includes(text)) found.push(name);
  }
  return found.toSorted();
}

const markedRequests = (marker: string): number =>
  receiver.requests.filter(({ body }) => body.includes(marker)).length;

/** Everywhere that a producer can put a text. */
const about = (marker: string) => ({
  type: 'order.paid',
  data: { marker },
  labels: { about: marker },
  subject: marker,
});

/** Answers with what came, in a header too; at `/failing` as what opens no breaker, so that it is tried again by the schedule. */
function echo(): void {
  receiver.behave(
    respondBy(({ body, path }) => {
      const [marker = ''] = /marker-[a-z-]+/.exec(body.toString()) ?? [];
      const status = path === '/failing' ? 400 : 200;
      return respond(status, { body: body.toString(), headers: { 'x-marker': marker } });
    }),
  );
}

async function ended<T extends { readonly finishedAt: string | null }>(read: () => Promise<T>): Promise<T> {
  return patiently(async () => {
    const found = await read();
    if (found.finishedAt === null) throw new Error(`it has not ended: ${JSON.stringify(found)}`);
    return found;
  });
}

async function erase(target: object): Promise<ErasureAnswer> {
  const { id } = await patiently(() => tenant.ok<ErasureAnswer>('POST', '/v1/erasures', target));
  return ended(async () => {
    const { data } = await tenant.ok<PageAnswer<ErasureAnswer>>('GET', '/v1/erasures');
    return data.find((one) => one.id === id) ?? { id, state: 'unknown', finishedAt: null };
  });
}

/** Publishes it once, however often it has to be sent. */
function publish(event: object): Promise<{ readonly id: string }> {
  const idempotencyKey = randomUUID();
  return patiently(() => tenant.publish({ idempotencyKey, ...event }));
}

it('leaves nothing of a subject and of an event in any collection, and nothing of them goes out again', () =>
  platform.explain(async () => {
    const [subject, one] = ['marker-of-a-subject', 'marker-of-an-event'];
    echo();
    const { id: endpoint } = await patiently(() => tenant.endpoint({ url: receiver.url }));
    // An attempt a second, for as long as the test lasts.
    await patiently(() =>
      tenant.endpoint({ url: `${receiver.url}/failing`, retryDelaysMs: Array(19).fill(1000) }),
    );
    const ofSubject = [await publish(about(subject)), await publish(about(subject))];
    const single = await publish({ ...about(one), subject: 'someone' });
    const kept = await publish({ type: 'order.paid', data: { kept: true }, subject: 'someone-else' });
    for (const { id } of [...ofSubject, single, kept]) await tenant.deliveryIn('succeeded', id, endpoint);
    expect(await collectionsWith(subject)).toEqual(['dispatcher_attempts', 'dispatcher_events']);

    const erasures = await Promise.all([erase({ subject }), erase({ eventId: single.id })]);
    expect(erasures.map(({ state }) => state)).toEqual(['succeeded', 'succeeded']);
    const sent = [markedRequests(subject), markedRequests(one)];
    const first = platform.process('dispatcher', 1);
    await first.kill();
    await first.start();
    const replay = { endpoint, since: '2020-01-01T00:00:00.000Z', states: ['succeeded', 'cancelled'] };
    const { id } = await patiently(() => tenant.ok<ReplayAnswer>('POST', '/v1/replays', replay));
    const { progress } = await ended(() => tenant.ok<ReplayAnswer>('GET', `/v1/replays/${id}`));
    expect(progress.done).toBe(1);
    // By then, whatever waited for its next attempt would have had it.
    const later = await publish({ type: 'order.paid', data: { later: true } });
    await eventually(
      () =>
        expect(
          receiver.requests.filter((request) => request.headers['webhook-id'] === later.id).length,
        ).toBeGreaterThanOrEqual(4),
      patience,
    );
    expect([markedRequests(subject), markedRequests(one)]).toEqual(sent);
    expect(await collectionsWith(subject)).toEqual([]);
    expect(await collectionsWith(one)).toEqual([]);
    await patiently(() => tenant.ok('GET', `/v1/events/${kept.id}`));
  }));

it('of a dispatcher that was suspended while it was erased, no answer goes on record afterwards', () =>
  platform.explain(async () => {
    const marker = 'marker-of-a-late-answer';
    const { promise: mayAnswer, resolve: letAnswer } = Promise.withResolvers<undefined>();
    receiver.behave((exchange) => {
      const body = exchange.request.body.toString();
      void mayAnswer.then(() => respond(200, { body, headers: { 'x-marker': marker } })(exchange));
    });
    await patiently(() => tenant.endpoint({ url: receiver.url, timeoutMs: 60_000 }));
    await publish(about(marker));
    await receiver.waitFor(1, patienceMs);
    const sender = await busyDispatcher();
    sender.suspend();
    letAnswer(undefined);
    try {
      expect(await erase({ subject: marker })).toMatchObject({ state: 'succeeded' });
    } finally {
      sender.resume();
    }

    const attempts = await patiently(async () => {
      const page = await tenant.ok<PageAnswer<AttemptAnswer>>('GET', '/v1/attempts');
      expect(page.data).not.toEqual([]);
      return page.data;
    });
    expect(attempts).toMatchObject([{ response: null }]);
    expect(await collectionsWith(marker)).toEqual([]);
    expect(receiver.requests).toHaveLength(1);
  }));

/** The dispatcher that has an attempt under way. */
async function busyDispatcher(): Promise<ServiceProcess> {
  for (const one of platform.processes('dispatcher')) {
    const metrics = await (await fetch(`${one.adminUrl}/metrics`)).text();
    if (/^posthorn_dispatcher_in_flight [1-9]/m.test(metrics)) return one;
  }
  throw new Error('no dispatcher has an attempt under way');
}

it('leaves nothing of an organisation that is deleted but the record of that', () =>
  platform.explain(async () => {
    const marker = 'marker-of-an-organisation';
    echo();
    const { id: endpoint } = await patiently(() =>
      tenant.endpoint({ url: receiver.url, description: marker }),
    );
    await patiently(() => tenant.endpoint({ url: `${receiver.url}/failing` }));
    const { id } = await publish({ ...about(marker) });
    await tenant.deliveryIn('succeeded', id, endpoint);
    const operator = createRestClient({ url: platform.url, key: platform.operatorKey });
    const path = `/v1/organisations/${tenant.id}`;
    await patiently(() => operator.ok('DELETE', path));
    await ended(async () => {
      const { data } = await operator.ok<PageAnswer<ErasureAnswer>>('GET', `${path}/erasures`);
      return data[0] ?? { finishedAt: null };
    });
    expect(await collectionsWith(marker)).toEqual([]);
    expect(await collectionsWith(tenant.id)).toEqual([
      'config_audit',
      'config_revisions',
      'dispatcher_jobs',
      'dispatcher_tombstones',
      'ingest_reservations',
    ]);
  }));
