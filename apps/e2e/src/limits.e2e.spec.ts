/** Limits of an organisation and of a key, on the real platform: over REST and gRPC, through kill -9, and never above. */
import { ingestV1 } from '@posthorn/contracts';
import { servicePrincipal } from '@posthorn/models';
import { createNetworkClient } from '@posthorn/rpc';
import { eventually, startReceiver, type Receiver } from '@posthorn/testing';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import { createRestClient, type RestAnswer, type RestClient } from './rest-client.ts';
import { createTenant, patienceMs, type Tenant } from './tenant.ts';

type Json = Readonly<Record<string, unknown>>;

const event = { type: 'order.paid', data: { total: 1 } };
const principal = servicePrincipal('a-shop');

let platform: PlatformProcess;
let receiver: Receiver;

beforeAll(async () => {
  platform = await preparePlatform({ env: { POSTHORN_GRPC_PORT: '0' } });
  await platform.start();
});
afterAll(() => platform.dispose());
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(() => receiver.close());

const operator = (): RestClient => createRestClient({ url: platform.url, key: platform.operatorKey });

async function limited(limits: Json): Promise<Tenant> {
  const tenant = await createTenant(platform, { limits });
  await tenant.endpoint({ url: receiver.url });
  return tenant;
}

/** The days of UTC are the windows: a test that begins right before midnight waits for the next one. */
async function awayFromMidnight(): Promise<void> {
  await eventually(() => msToMidnight() > 2 * patienceMs, { timeoutMs: 3 * patienceMs, everyMs: 500 });
}

function msToMidnight(): number {
  const now = new Date(performance.timeOrigin + performance.now());
  return now.setUTCHours(24, 0, 0, 0) - (performance.timeOrigin + performance.now());
}

let ids = 0;

/** Publishes under an id of its own, again while a busy machine answers 503: the same event counts once. */
async function publish(client: RestClient, data: unknown = 1): Promise<RestAnswer<Record<string, unknown>>> {
  ids += 1;
  const body = { ...event, data, id: `limits-${ids}` };
  for (;;) {
    const answer = await client.call('POST', '/v1/events', body);
    if (answer.status !== 503) return answer;
  }
}

function remainingOf({ headers }: RestAnswer<unknown>, name: string): number {
  const text = headers.get('ratelimit') ?? '';
  return Number(new RegExp(`"${name}";r=(\\d+);t=\\d+`).exec(text)?.[1] ?? NaN);
}

describe('limits', () => {
  beforeEach(awayFromMidnight, 4 * patienceMs);

  it('of an organisation count over REST and gRPC together, exactly, and what they refuse is delivered to nobody', async () => {
    const tenant = await limited({ publishesPerDay: 6 });
    const name = 'organisation-publishes-per-day';
    for (const left of [5, 4]) {
      const answer = await publish(tenant);
      expect([answer.status, remainingOf(answer, name)]).toEqual([202, left]);
      expect(answer.headers.get('ratelimit-policy')).toBe(`"${name}";q=6;w=86400`);
    }
    const client = createNetworkClient(
      ingestV1.IngestServiceService,
      /grpc\s+(\S+:\d+)/.exec(platform.output())?.[1] ?? '',
      { headers: { authorization: `Bearer ${tenant.key}` } },
    );
    const overGrpc = ingestV1.NewEvent.fromPartial({ type: 'order.paid', data: Buffer.from('1') });
    const { accepted } = await client.publish({ event: overGrpc }, { principal });
    expect(accepted?.limits?.states).toMatchObject([{ name, quota: 6n, remaining: 3n }]);
    const batch = await tenant.call<{ data: Json[] }>('POST', '/v1/events/batch', {
      events: [event, event, event, event, event],
    });
    expect(batch.status).toBe(202);
    expect(batch.body.data.map(({ status }) => status ?? 202)).toEqual([202, 202, 202, 429, 429]);
    await expect(client.publish({ event: overGrpc }, { principal })).rejects.toMatchObject({
      code: 'rate_limited',
      violations: [{ code: 'organisation_publishes_per_day' }],
    });
    client.close();
    const refused = await publish(tenant);
    expect([refused.status, refused.body['code'], remainingOf(refused, name)]).toEqual([
      429,
      'rate_limited',
      0,
    ]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(60);

    await receiver.waitFor(6, patienceMs);
    await operator().ok('PATCH', `/v1/organisations/${tenant.slug}`, { limits: {} });
    const { id } = await tenant.publish(event);
    const ids = async (): Promise<readonly unknown[]> =>
      (await receiver.waitFor(7, patienceMs)).map(({ headers }) => headers['webhook-id']);
    expect(await ids()).toContain(id);
    expect(receiver.requests).toHaveLength(7);
    expect((await tenant.ok<{ data: unknown[] }>('GET', '/v1/events')).data).toHaveLength(7);
  });

  it('of a key bound what is published with it, whatever its organisation may', async () => {
    const tenant = await limited({ publishesPerSecond: 100_000 });
    const { token, id } = await operator().ok<{ token: string; id: string }>('POST', '/v1/keys', {
      name: 'limited',
      scopes: ['events:write'],
      organisation: tenant.slug,
      limits: { bytesPerDay: 30 },
    });
    const key = tenant.as({ key: token });
    const first = await publish(key, 'x'.repeat(18));
    expect([first.status, remainingOf(first, 'key-bytes-per-day')]).toEqual([202, 10]);
    expect((await publish(key, 'x'.repeat(9))).status).toBe(429);
    expect((await publish(key, 'x'.repeat(29))).status).toBe(413);
    expect((await publish(key, 'x'.repeat(8))).status).toBe(202);
    expect((await publish(tenant)).status).toBe(202);
    const own = await tenant.call('PATCH', `/v1/keys/${id}`, { limits: {} });
    expect([own.status, own.body['code']]).toEqual([403, 'permission_denied']);
  });

  it(
    'are never exceeded by many who publish at once, nor through kill -9',
    async () => {
      const limit = 300;
      const tenant = await limited({ publishesPerDay: limit });
      const accepted: string[] = [];
      /** Publishes until there is no room, or no answer. */
      const publishAll = async (): Promise<number | undefined> => {
        for (;;) {
          const answer = await tenant
            .call<{ id: string }>('POST', '/v1/events', event)
            .catch(() => undefined);
          if (answer?.status === 202) accepted.push(answer.body.id);
          else if (answer?.status !== 503) return answer?.status;
        }
      };
      const publishers = Array.from({ length: 8 }, publishAll);
      await eventually(() => accepted.length > 50, { timeoutMs: patienceMs });
      await platform.kill();
      await Promise.all(publishers);
      await platform.start();
      expect(await Promise.all(Array.from({ length: 8 }, publishAll))).toEqual(
        Array.from({ length: 8 }, () => 429),
      );

      // What was under way at the kill may have been accepted without an answer; what had been taken ahead is lost.
      expect(accepted.length).toBeLessThanOrEqual(limit);
      expect(accepted.length).toBeGreaterThan(50);
      for (const id of accepted.slice(0, 60))
        expect((await tenant.call('GET', `/v1/events/${id}`)).status).toBe(200);
      let events = 0;
      for (let cursor: string | null = ''; cursor !== null;) {
        const page: { data: unknown[]; nextCursor: string | null } = await tenant.ok(
          'GET',
          `/v1/events?limit=250${cursor === '' ? '' : `&cursor=${cursor}`}`,
        );
        events += page.data.length;
        cursor = page.nextCursor;
      }
      expect(events).toBeGreaterThanOrEqual(accepted.length);
      expect(events).toBeLessThanOrEqual(limit);
    },
    4 * patienceMs,
  );

  it('of a second begin anew with the next one', async () => {
    const tenant = await limited({ publishesPerSecond: 2 });
    const statuses: number[] = [];
    await eventually(
      async () => {
        const answer = await tenant.call('POST', '/v1/events', event);
        statuses.push(answer.status);
        if (answer.status === 429) expect(answer.headers.get('retry-after')).toBe('1');
        return statuses.includes(429) && statuses.lastIndexOf(202) > statuses.indexOf(429);
      },
      { timeoutMs: patienceMs },
    );
    expect(new Set(statuses)).toEqual(new Set([202, 429]));
  });
});

describe('the limit on endpoints', () => {
  it('is obeyed in every dialect, each of which says so in its own way', async () => {
    const tenant = await createTenant(platform, { limits: { endpoints: 1 } });
    await tenant.endpoint({ url: receiver.url });
    const url = `${receiver.url}/another`;
    const native = await tenant.call('POST', '/v1/endpoints', { url });
    expect([native.status, native.body['code']]).toEqual([409, 'failed_precondition']);
    const ricloud = await tenant.call(
      'POST',
      '/configs/webhook',
      { url },
      { authorization: `Token ${tenant.key}` },
    );
    expect([ricloud.status, ricloud.body]).toMatchObject([400, { error: 'limit-exceeded' }]);
    const rapidly = await tenant.call('POST', '/api/webhooks/endpoints', {
      name: 'a',
      url: 'https://example.com/a',
      format: 'raw',
      events: ['customer.created'],
    });
    expect([rapidly.status, rapidly.text]).toEqual([
      422,
      expect.stringContaining('as many endpoints as it may have (1)'),
    ]);
    const preo = await tenant.call('POST', '/webhook-endpoints/', {
      organization_id: tenant.id,
      name: 'a',
      url: 'https://example.com/a',
      events: ['order.paid'],
    });
    expect([preo.status, preo.text]).toEqual([
      400,
      expect.stringContaining('as many endpoints as it may have (1)'),
    ]);
    expect((await tenant.ok<{ data: unknown[] }>('GET', '/v1/endpoints')).data).toHaveLength(1);

    await operator().ok('PATCH', `/v1/organisations/${tenant.slug}`, { limits: { endpoints: 2 } });
    await tenant.endpoint({ url });
  });
});
