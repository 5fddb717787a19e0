import { eventually, startReceiver, type Receiver } from '@posthorn/testing';
import { expectProblem } from './expect-problem.harness.ts';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import { createTenant, patienceMs, type Tenant } from './tenant.ts';

interface Feed {
  readonly data: readonly { readonly eventId: string; readonly state: string; readonly data?: unknown }[];
  readonly nextCursor: string;
  readonly hasMore: boolean;
}

let platform: PlatformProcess;
let receiver: Receiver;
let tenant: Tenant;

beforeAll(async () => {
  platform = await preparePlatform();
  await platform.start();
  receiver = await startReceiver();
  tenant = await createTenant(platform);
});
afterAll(async () => {
  await platform.dispose();
  await receiver.close();
});

describe('the feed of an endpoint', () => {
  it('tells a receiver with a key of its own what it missed, over a kill, each event once', async () => {
    const { id } = await tenant.endpoint({ url: receiver.url, uid: 'shop', retryDelaysMs: [] });
    const { token } = await tenant.ok<{ token: string }>('POST', '/v1/keys', {
      name: 'shop',
      scopes: ['feed:read'],
      endpoint: 'shop',
    });
    const shop = tenant.as({ key: token });
    let cursor = '';
    const seen = new Map<string, string>();

    /** Reads on until these events were seen. */
    async function readUntil(ids: readonly string[]): Promise<void> {
      await eventually(
        async () => {
          const page = await shop.ok<Feed>(
            'GET',
            `/v1/endpoints/shop/feed?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
          );
          cursor = page.nextCursor;
          for (const { eventId, state } of page.data) {
            expect(seen.has(eventId)).toBe(false);
            seen.set(eventId, state);
          }
          expect([...seen.keys()]).toEqual(expect.arrayContaining([...ids]));
        },
        { timeoutMs: patienceMs, everyMs: 200 },
      );
    }

    const good = await tenant.publish({ type: 'order.paid', data: { n: 1 } });
    await tenant.deliveryIn('succeeded', good.id, id);
    receiver.behave(500);
    const missed = await tenant.publish('{"type":"order.paid","data":{"n":12345678901234567890}}');
    await tenant.deliveryIn('exhausted', missed.id, id);
    await readUntil([good.id, missed.id]);
    expect([...seen]).toEqual([
      [good.id, 'succeeded'],
      [missed.id, 'exhausted'],
    ]);
    const { text } = await shop.call('GET', `/v1/endpoints/${id}/feed?state=exhausted`);
    expect(text).toContain('"data":{"n":12345678901234567890}');

    await platform.kill();
    await platform.start();
    const later = await tenant.publish({ type: 'order.paid', data: {} });
    await readUntil([later.id]);
    expect(seen.size).toBe(3);
  });

  it('is all that its key may read', async () => {
    const { id } = await tenant.endpoint({ url: receiver.url });
    const other = await tenant.endpoint({ url: receiver.url });
    const key = { name: 'receiver', scopes: ['feed:read'], endpoint: id };
    const { token } = await tenant.ok<{ token: string }>('POST', '/v1/keys', key);
    const client = tenant.as({ key: token });
    expect((await client.call('GET', `/v1/endpoints/${id}/feed`)).status).toBe(200);
    expectProblem(await client.call('GET', `/v1/endpoints/${other.id}/feed`), [404, 'not_found']);
    for (const path of [`/v1/endpoints/${id}`, '/v1/deliveries', '/v1/events', '/v1/keys']) {
      expectProblem(await client.call('GET', path), [403, 'permission_denied']);
    }
    const without = { name: 'receiver', scopes: ['feed:read'] };
    expectProblem(await tenant.call('POST', '/v1/keys', without), [400, 'invalid_argument'], ['/endpoint']);
  });
});
