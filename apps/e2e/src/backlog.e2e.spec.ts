import { delay, eventually, respond, startReceiver, type Receiver } from '@posthorn/testing';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import { createTenant, patienceMs, type Tenant } from './tenant.ts';

/** More than one endpoint's lane keeps in memory. */
const backlog = 6000;

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

async function publishMany(count: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let published = 0; published < count; published += 1000) {
    const events = Array.from({ length: 1000 }, (_, n) => ({ type: 'order.paid', data: published + n }));
    const { data } = await tenant.ok<{ data: { id: string }[] }>('POST', '/v1/events/batch', { events });
    ids.push(...data.map(({ id }) => id));
  }
  return ids;
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${platform.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN);
}

/** Everything has arrived, each once. */
async function expectEachOnce(ids: readonly string[]): Promise<void> {
  await eventually(() => receiver.requests.length >= ids.length, {
    timeoutMs: 2 * patienceMs,
    everyMs: 100,
    message: `${ids.length} deliveries`,
  });
  await eventually(
    async () =>
      expect(await tenant.ok('GET', '/v1/deliveries?state=pending&state=retrying&state=held')).toMatchObject({
        data: [],
      }),
    { timeoutMs: patienceMs, everyMs: 100 },
  );
  const received = receiver.requests.map(({ headers }) => String(headers['webhook-id']));
  expect(received.length).toBe(ids.length);
  expect(new Set(received)).toEqual(new Set(ids));
}

describe('a backlog that is larger than memory', () => {
  it('waits in storage for a slow receiver, whose limit holds, and comes back, each event once', async () => {
    let underWay = 0;
    let mostUnderWay = 0;
    receiver.behave((exchange) => {
      underWay += 1;
      mostUnderWay = Math.max(mostUnderWay, underWay);
      exchange.response.on('close', () => (underWay -= 1));
      delay(10, respond(204))(exchange);
    });
    await tenant.endpoint({ url: receiver.url, maxInFlight: 20 });
    const ids = await publishMany(backlog);
    await expectEachOnce(ids);
    expect(mostUnderWay).toBeLessThanOrEqual(20);
    expect(await metric('posthorn_parked_total')).toBeGreaterThan(0);
  });

  it('of a paused endpoint goes out when it is resumed, each event once, also through pauses on the way', async () => {
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url });
    const turn = (verb: string) => tenant.ok('POST', `/v1/endpoints/${endpointId}/${verb}`);
    await turn('pause');
    const ids = await publishMany(backlog);
    for (const share of [0.1, 0.3, 0.6]) {
      await turn('resume');
      await receiver.waitFor(backlog * share, patienceMs);
      await turn('pause');
    }
    await turn('resume');
    await expectEachOnce(ids);
  });

  it('of an endpoint that is disabled is held as a whole, and nothing of it goes out any more', async () => {
    receiver.behave(delay(50, respond(204)));
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url, maxInFlight: 4 });
    const ids = await publishMany(2000);
    await receiver.waitFor(20, patienceMs);
    await tenant.ok('POST', `/v1/endpoints/${endpointId}/disable`);
    const count = async (query: string): Promise<number> => {
      let total = 0;
      for (let cursor: string | null = ''; cursor !== null;) {
        const path: string = `/v1/deliveries?limit=250&${query}${cursor === '' ? '' : `&cursor=${cursor}`}`;
        const page: { data: unknown[]; nextCursor: string | null } = await tenant.ok('GET', path);
        total += page.data.length;
        cursor = page.nextCursor;
      }
      return total;
    };
    await eventually(
      async () => expect((await count('state=held')) + (await count('state=succeeded'))).toBe(ids.length),
      { timeoutMs: patienceMs, everyMs: 250 },
    );
    expect(await count('state=succeeded')).toBe(receiver.requests.length);
    expect(receiver.requests.length).toBeLessThan(ids.length);
  });
});
