/** A replay over two dispatchers that are killed in the middle of it: whoever comes next goes on. */
import { randomUUID } from 'node:crypto';
import { startStackPlatform, type StackPlatform } from '@posthorn/stack';
import { eventually, startReceiver, type Receiver } from '@posthorn/testing';
import { createTenant, patienceMs, type Tenant } from '../tenant.ts';

interface ReplayAnswer {
  readonly id: string;
  readonly state: string;
  readonly finishedAt: string | null;
  readonly progress: {
    readonly total: number | null;
    readonly done: number;
    readonly remaining: number | null;
  };
}

const count = 300;

let platform: StackPlatform;
let tenant: Tenant;
let receiver: Receiver;

beforeAll(async () => {
  platform = await startStackPlatform({ counts: { dispatcher: 2 }, security: 'tokens' });
  receiver = await startReceiver();
  tenant = await platform.explain(() =>
    eventually(() => createTenant(platform), { timeoutMs: patienceMs, everyMs: 200 }),
  );
});
afterAll(async () => {
  await platform.dispose();
  await receiver.close();
});

/** Asks until it is done: a busy machine answers 503 now and then. Carried out once, however often it is asked. */
function patiently<T>(method: string, path: string, body?: object): Promise<T> {
  const headers = { 'Idempotency-Key': randomUUID() };
  return eventually(
    async () => {
      const answer = await tenant.call<T>(method, path, body, method === 'POST' ? headers : {});
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status}`);
      return answer.body;
    },
    { timeoutMs: patienceMs, everyMs: 200 },
  );
}

const replay = (body: object): Promise<ReplayAnswer> => patiently('POST', '/v1/replays', body);
const received = (): ReadonlySet<string> =>
  new Set(receiver.requests.map(({ headers }) => String(headers['webhook-id'])));

/** Publishes so many events, each of them once; answers their ids. */
function publish(): Promise<readonly string[]> {
  const events = Array.from({ length: count }, (_, n) => ({
    type: 'order.paid',
    data: { n },
    idempotencyKey: `event ${n}`,
  }));
  return eventually(
    async () => {
      const { data } = await tenant.ok<{ data: readonly { id?: string }[] }>('POST', '/v1/events/batch', {
        events,
      });
      return data.map(({ id }) => id ?? fail());
    },
    { timeoutMs: patienceMs, everyMs: 200 },
  );
}

function fail(): never {
  throw new Error('an event was not accepted');
}

it('sends everything that an endpoint missed, although both dispatchers are killed meanwhile', () =>
  platform.explain(async () => {
    const settings = { url: receiver.url, retryDelaysMs: [100, 500, 1000, 2000] };
    const { id: endpoint } = await patiently<{ id: string }>('POST', '/v1/endpoints', settings);
    await patiently('POST', `/v1/endpoints/${endpoint}/disable`);
    const ids = await publish();
    const counted = async (): Promise<number | null> =>
      (await replay({ endpoint, dryRun: true })).progress.total;
    await eventually(async () => expect(await counted()).toBe(count), {
      timeoutMs: patienceMs,
      everyMs: 200,
    });
    await patiently('POST', `/v1/endpoints/${endpoint}/enable`);

    const { id } = await replay({ endpoint, perSecond: 40 });
    const read = (): Promise<ReplayAnswer> => patiently('GET', `/v1/replays/${id}`);
    await eventually(async () => expect((await read()).progress.done).toBeGreaterThanOrEqual(40), {
      timeoutMs: patienceMs,
      everyMs: 50,
    });
    const dispatchers = platform.processes('dispatcher');
    await Promise.all(dispatchers.map((one) => one.kill()));
    await Promise.all(dispatchers.map((one) => one.start()));

    await eventually(async () => expect((await read()).finishedAt).not.toBeNull(), {
      timeoutMs: 2 * patienceMs,
      everyMs: 200,
    });
    const { state, progress } = await read();
    expect({ state, progress }).toMatchObject({
      state: 'succeeded',
      progress: { total: count, remaining: 0 },
    });
    await eventually(() => expect(received()).toEqual(new Set(ids)), {
      timeoutMs: 2 * patienceMs,
      everyMs: 200,
    });
  }));
