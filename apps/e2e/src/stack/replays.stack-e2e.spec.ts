/** A replay over two dispatchers that are killed in the middle of it: whoever comes next goes on. */
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
  platform = await startStackPlatform({ counts: { dispatcher: 2 } });
  receiver = await startReceiver();
  tenant = await platform.explain(() => createTenant(platform));
});
afterAll(async () => {
  await platform.dispose();
  await receiver.close();
});

const replay = (body: object): Promise<ReplayAnswer> => tenant.ok('POST', '/v1/replays', body);
const received = (): ReadonlySet<string> =>
  new Set(receiver.requests.map(({ headers }) => String(headers['webhook-id'])));

it('sends everything that an endpoint missed, although both dispatchers are killed meanwhile', () =>
  platform.explain(async () => {
    const { id: endpoint } = await tenant.endpoint({ url: receiver.url });
    await tenant.ok('POST', `/v1/endpoints/${endpoint}/disable`);
    const events = Array.from({ length: count }, (_, n) => ({ type: 'order.paid', data: { n } }));
    const { data } = await tenant.ok<{ data: readonly { id: string }[] }>('POST', '/v1/events/batch', {
      events,
    });
    const counted = async (): Promise<number | null> =>
      (await replay({ endpoint, dryRun: true })).progress.total;
    await eventually(async () => expect(await counted()).toBe(count), {
      timeoutMs: patienceMs,
      everyMs: 200,
    });
    await tenant.ok('POST', `/v1/endpoints/${endpoint}/enable`);

    const { id } = await replay({ endpoint, perSecond: 40 });
    const read = (): Promise<ReplayAnswer> => tenant.ok('GET', `/v1/replays/${id}`);
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
    await eventually(() => expect(received()).toEqual(new Set(data.map((event) => event.id))), {
      timeoutMs: 2 * patienceMs,
      everyMs: 200,
    });
  }));
