import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { openSqlite } from '@posthorn/sqlite';
import { eventually, respond, respondBy, startReceiver, type Receiver } from '@posthorn/testing';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import { createRestClient } from './rest-client.ts';
import { createTenant, patienceMs, type EndpointAnswer, type PageAnswer, type Tenant } from './tenant.ts';

/** Erasures on the platform as a process: what was erased stands in none of its files, and isn't sent any more. */

interface ErasureAnswer {
  readonly id: string;
  readonly state: string;
  readonly target: string;
  readonly subjectHash: string | null;
  readonly progress: { readonly events: number; readonly deliveries: number; readonly responses: number };
  readonly finishedAt: string | null;
}

let platform: PlatformProcess;
let receiver: Receiver;
let tenant: Tenant;

beforeAll(async () => {
  platform = await preparePlatform();
  await platform.start();
});
afterAll(() => platform.dispose());
beforeEach(async () => {
  receiver = await startReceiver();
  tenant = await createTenant(platform);
});
afterEach(() => receiver.close());

/** The files of the platform in which this text stands. */
const filesWith = (text: string): readonly string[] =>
  readdirSync(platform.dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(text));

/** The tables of the platform, which doesn't run, in which this text stands. */
async function tablesWith(text: string): Promise<readonly string[]> {
  const database = openSqlite({ path: join(platform.dataDir, 'posthorn.db'), migrations: [] });
  const tables = database.prepare<{ name: string }>(
    `SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`,
  );
  const found = tables
    .all()
    .map(({ name }) => name)
    .filter((name) => serialize(database.prepare(`SELECT * FROM ${name}`).all()).includes(text));
  await database.close();
  return found;
}

/** Has the receiver answer with what it got, in a header too. */
function echo(): void {
  receiver.behave(
    respondBy(({ body }) => {
      const [marker = ''] = /marker-[a-z0-9-]+/.exec(body.toString()) ?? [];
      return respond(200, { body: body.toString(), headers: { 'x-marker': marker } });
    }),
  );
}

async function ended(
  { id }: ErasureAnswer,
  path = '/v1/erasures',
  client: Pick<Tenant, 'ok'> = tenant,
): Promise<ErasureAnswer> {
  return eventually(
    async () => {
      const { data } = await client.ok<PageAnswer<ErasureAnswer>>('GET', path);
      const found = data.find((one) => one.id === id) ?? data[0];
      if (found === undefined || found.finishedAt === null)
        throw new Error(`the erasure has not ended: ${JSON.stringify(found)}`);
      return found;
    },
    { timeoutMs: patienceMs, everyMs: 50 },
  );
}

const erase = async (body: object): Promise<ErasureAnswer> =>
  ended(await tenant.ok('POST', '/v1/erasures', body));

it('leaves nothing of a subject in any file, nor sends anything of it, and keeps what comes later', async () => {
  const marker = 'marker-of-a-subject';
  echo();
  const { id: endpoint } = await tenant.endpoint({ url: receiver.url });
  const about = (n: number) => ({
    type: 'order.paid',
    data: { marker, filling: 'x'.repeat(n % 2 === 0 ? 20_000 : 10) },
    subject: marker,
    labels: { about: marker },
  });
  const ids: string[] = [];
  for (let n = 0; n < 6; n++) ids.push((await tenant.publish(about(n))).id);
  for (const id of ids) await tenant.deliveryIn('succeeded', id, endpoint);
  const kept = await tenant.publish({ type: 'order.paid', data: { kept: true }, subject: 'someone-else' });
  await tenant.deliveryIn('succeeded', kept.id, endpoint);
  // Held: it waits for its endpoint.
  await tenant.ok('POST', `/v1/endpoints/${endpoint}/disable`);
  const held = await tenant.publish(about(7));
  await tenant.deliveryIn('held', held.id, endpoint);
  expect(filesWith(marker)).not.toEqual([]);

  const erasure = await erase({ subject: marker });
  expect(erasure).toMatchObject({
    state: 'succeeded',
    target: 'subject',
    progress: { events: 7, deliveries: 1, responses: 6 },
  });
  expect(filesWith(marker)).toEqual([]);
  const gone = [`/v1/events/${ids[0]}`, `/v1/events/${held.id}/payload`];
  const answers = await Promise.all(gone.map((path) => tenant.call('GET', path)));
  expect(answers.map(({ status }) => status)).toEqual([404, 404]);
  expect((await tenant.call('GET', `/v1/events/${kept.id}`)).status).toBe(200);

  await tenant.ok('POST', `/v1/endpoints/${endpoint}/enable`);
  const sent = receiver.requests.length;
  const { data } = await tenant.ok<PageAnswer<{ id: string; eventId: string; reason: string | null }>>(
    'GET',
    '/v1/deliveries?state=cancelled',
  );
  expect(data).toMatchObject([{ eventId: held.id, reason: 'erased' }]);
  const retry = await tenant.call('POST', `/v1/deliveries/${data[0]?.id}/retry`);
  expect(retry.status).toBe(409);
  const replay = {
    endpoint,
    since: '2020-01-01T00:00:00.000Z',
    states: ['succeeded', 'cancelled'],
    dryRun: true,
  };
  expect(await tenant.ok('POST', '/v1/replays', replay)).toMatchObject({
    progress: { remaining: 1, skipped: 7 },
  });
  const after = await tenant.publish(about(8));
  await tenant.deliveryIn('succeeded', after.id, endpoint);
  expect(receiver.requests.length).toBe(sent + 1);
});

it('erases one event at once, also what its receiver answers while that is done', async () => {
  const marker = 'marker-of-an-event';
  const { promise: mayAnswer, resolve: letAnswer } = Promise.withResolvers<undefined>();
  receiver.behave((exchange) => {
    const body = exchange.request.body.toString();
    void mayAnswer.then(() => respond(200, { body })(exchange));
  });
  const { id: endpoint } = await tenant.endpoint({ url: receiver.url });
  const { id } = await tenant.publish({ type: 'order.paid', data: { marker } });
  await eventually(() => expect(receiver.requests.length).toBe(1), { timeoutMs: patienceMs });
  // On record: it has been under way for a while.
  await tenant.delivery(id, endpoint);
  expect((await tenant.call('DELETE', `/v1/events/${id}/payload`)).status).toBe(204);
  expect((await tenant.call('GET', `/v1/events/${id}`)).status).toBe(404);
  letAnswer(undefined);
  const [first] = (await tenant.ok<PageAnswer<ErasureAnswer>>('GET', '/v1/erasures')).data;
  if (first === undefined) throw new Error('the erasure is not on record');
  expect(await ended(first)).toMatchObject({ state: 'succeeded', target: 'event' });
  const attempts = await eventually(
    async () => {
      const page = await tenant.ok<PageAnswer<{ response: object | null }>>('GET', '/v1/attempts');
      expect(page.data).toHaveLength(1);
      return page.data;
    },
    { timeoutMs: patienceMs },
  );
  expect(attempts).toMatchObject([{ outcome: 'success', response: null }]);
  expect(filesWith(marker)).toEqual([]);
  await platform.kill();
  await platform.start();
  expect((await tenant.call('GET', `/v1/events/${id}`)).status).toBe(404);
  expect(filesWith(marker)).toEqual([]);
});

it('erases everything of an organisation that is deleted; the record of it stays', async () => {
  const marker = 'marker-of-an-organisation';
  echo();
  const asked = { url: receiver.url, description: marker };
  const once = { 'Idempotency-Key': 'once' };
  const { id: endpoint } = (await tenant.call<EndpointAnswer>('POST', '/v1/endpoints', asked, once)).body;
  const failing = await tenant.endpoint({ url: 'http://127.0.0.1:1' });
  const { id } = await tenant.publish({
    type: 'order.paid',
    data: { marker },
    labels: { marker },
    idempotencyKey: 'once',
  });
  await tenant.deliveryIn('succeeded', id, endpoint);
  await tenant.deliveryIn('exhausted', id, failing.id);
  // What is noted of the failing endpoint is on record now, and nothing comes after it.
  await platform.stop();
  expect(await tablesWith(tenant.id)).toContain('endpoint_troubles');
  await platform.start();
  const operator = createRestClient({ url: platform.url, key: platform.operatorKey });
  await operator.ok('DELETE', `/v1/organisations/${tenant.id}`);

  const path = `/v1/organisations/${tenant.id}/erasures`;
  const [first] = (await operator.ok<PageAnswer<ErasureAnswer>>('GET', path)).data;
  if (first === undefined) throw new Error('the erasure is not on record');
  expect(await ended(first, path, operator)).toMatchObject({
    state: 'succeeded',
    target: 'organisation',
    progress: { events: 1, deliveries: 2 },
  });
  expect(filesWith(marker)).toEqual([]);
  await platform.stop();
  expect(await tablesWith(tenant.id)).toEqual([
    'config_audit',
    'config_changes',
    'jobs',
    'reservations',
    'tombstones',
  ]);
});
