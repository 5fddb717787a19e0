import { eventually, respond, startForwardProxy, startNameServer, startReceiver } from '@posthorn/testing';
import type { ForwardProxy, NameServer, Receiver } from '@posthorn/testing';
import type { ProblemAnswer } from './expect-problem.harness.ts';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import { createTenant, patienceMs, type PageAnswer } from './tenant.ts';

/** What stands for the public internet: the only address that deliveries may reach. */
const outsideHost = '127.0.0.5';
/** What stands for a network inside. */
const insideHost = '127.0.0.6';

/** What the tests of this file started, the last first. */
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
function closeLater<T extends { close(): Promise<void> }>(started: T): T {
  closers.push(() => started.close());
  return started;
}

async function startPlatform(env: Readonly<Record<string, string>>): Promise<PlatformProcess> {
  const platform = await preparePlatform({
    env: { POSTHORN_ALLOW_TARGETS: `${outsideHost}/32`, POSTHORN_LOG_LEVEL: 'trace', ...env },
  });
  closers.push(() => platform.dispose());
  await platform.start();
  return platform;
}

const startNames = async (zone: NameServer['zone']): Promise<NameServer> =>
  closeLater(await startNameServer(zone, 0));
/** Answers on a new connection each time, so that every request is a look-up. */
const startOutside = async (status = 204): Promise<Receiver> =>
  closeLater(
    await startReceiver({
      host: outsideHost,
      behaviour: respond(status, { headers: { connection: 'close' } }),
    }),
  );

it('a name that was public at create and is private at delivery is blocked, and refused from then on', async () => {
  const names = await startNames({ 'moving.test': [outsideHost] });
  const platform = await startPlatform({ POSTHORN_DNS_SERVERS: names.address });
  const tenant = await createTenant(platform);
  const outside = await startOutside();
  const url = `http://moving.test:${outside.port}/hooks`;
  const { id } = await tenant.endpoint({ url });
  const before = await tenant.publish({ type: 'a', data: {} });
  await tenant.deliveryIn('succeeded', before.id, id);

  names.zone['moving.test'] = [outsideHost, insideHost];
  // For a second, the answer is still the one that was checked, and it is the checked address that is connected to.
  const blocked = await eventually(
    async () => {
      const { id: eventId } = await tenant.publish({ type: 'a', data: {} });
      const ended = await eventually(async () => {
        const found = await tenant.delivery(eventId, id);
        expect(found.finishedAt).not.toBeNull();
        return found;
      });
      expect(ended).toMatchObject({ state: 'failed' });
      return ended;
    },
    { timeoutMs: patienceMs, everyMs: 200 },
  );
  expect(blocked).toMatchObject({ state: 'failed', reason: 'address_blocked' });
  expect(await tenant.attempts(blocked.id)).toMatchObject([
    { outcome: 'blocked', status: null, address: null, response: null },
  ]);
  const refused = await tenant.call<ProblemAnswer>('POST', '/v1/endpoints', { url });
  expect(refused).toMatchObject({ status: 400, body: { violations: [{ code: 'address_not_public' }] } });
  expect(refused.text).not.toContain(insideHost);
});

describe('through an egress proxy', () => {
  const credentials = 'posthorn:pr0xy-passw0rd';

  async function startProxied() {
    const names = await startNames({ 'outside.test': [outsideHost], 'inside.test': [insideHost] });
    const proxy: ForwardProxy = closeLater(await startForwardProxy({ credentials }));
    const platform = await startPlatform({
      POSTHORN_DNS_SERVERS: names.address,
      POSTHORN_EGRESS_PROXY: proxy.url,
    });
    return { names, proxy, platform, tenant: await createTenant(platform) };
  }

  it('deliveries succeed, the proxy learns addresses only, and nobody learns its password', async () => {
    const { proxy, platform, tenant } = await startProxied();
    const outside = await startOutside();
    const { id } = await tenant.endpoint({ url: `http://outside.test:${outside.port}/hooks` });
    const { id: eventId } = await tenant.publish({ type: 'a', data: {} });
    const delivery = await tenant.deliveryIn('succeeded', eventId, id);
    expect(await tenant.attempts(delivery.id)).toMatchObject([{ outcome: 'success', address: outsideHost }]);
    expect(proxy.targets).toEqual([`${outsideHost}:${outside.port}`]);
    expect(outside.requests[0]?.headers.host).toBe(`outside.test:${outside.port}`);
    expect(platform.output()).not.toContain('pr0xy-passw0rd');
    expect(platform.output()).not.toContain(Buffer.from(credentials).toString('base64'));
  });

  it('a proxy that refuses us costs attempts, tells nothing of itself, and is got over', async () => {
    const { proxy, tenant } = await startProxied();
    const outside = await startOutside();
    proxy.behave(407);
    const { id } = await tenant.endpoint({
      url: `http://outside.test:${outside.port}/hooks`,
      retryDelaysMs: Array<number>(10).fill(500),
    });
    const { id: eventId } = await tenant.publish({ type: 'a', data: {} });
    const waiting = await tenant.deliveryIn('retrying', eventId, id);
    const [attempt] = await tenant.attempts(waiting.id);
    expect(attempt).toMatchObject({
      outcome: 'internal',
      address: null,
      error: 'The egress proxy does not accept our credentials (407).',
    });
    proxy.behave('serve');
    await tenant.deliveryIn('succeeded', eventId, id);
    expect(outside.requests.length).toBe(1);
  });

  it('what may not be reached is refused before the proxy hears of it', async () => {
    const { names, proxy, tenant } = await startProxied();
    expect(await tenant.call('POST', '/v1/endpoints', { url: 'http://inside.test/hooks' })).toMatchObject({
      status: 400,
    });
    // It doesn't resolve yet, so it is judged when it is connected to.
    const { id } = await tenant.endpoint({
      url: 'http://later.test/hooks',
      retryDelaysMs: [1000, 6000, 6000],
    });
    names.zone['later.test'] = [insideHost];
    const { id: eventId } = await tenant.publish({ type: 'a', data: {} });
    expect(await tenant.deliveryIn('failed', eventId, id)).toMatchObject({ reason: 'address_blocked' });
    expect(proxy.connectionCount).toBe(0);
  });
});

it('what a receiver answered is kept up to a cap, and shown to its owner only', async () => {
  const marker = 'internal-status-page-7f3a';
  const platform = await startPlatform({});
  const [owner, stranger] = [await createTenant(platform), await createTenant(platform)];
  const receiver = closeLater(
    await startReceiver({
      host: outsideHost,
      behaviour: respond(500, {
        headers: { 'x-marker': marker, ...manyHeaders(200) },
        body: marker + 'x'.repeat(1_000_000),
      }),
    }),
  );
  const { id } = await owner.endpoint({ url: receiver.url });
  const { id: eventId } = await owner.publish({ type: 'a', data: {} });
  const delivery = await owner.deliveryIn('exhausted', eventId, id);
  const test = await owner.ok<{ response: KeptResponse; id: string }>('POST', `/v1/endpoints/${id}/test`, {});
  const shown = await owner.ok<PageAnswer<{ id: string; response: KeptResponse }>>('GET', '/v1/attempts');
  expect(shown.data.length).toBeGreaterThanOrEqual(5);
  for (const { response } of [...shown.data, test]) {
    expect(response.body.startsWith(marker)).toBe(true);
    expect(response.truncated).toBe(true);
    expect(Buffer.byteLength(response.body)).toBe(4096);
    expect(JSON.stringify(response.headers).length).toBeLessThan(6000);
  }

  const attemptIds = shown.data.map((attempt) => attempt.id);
  const curious: readonly (readonly [string, string, unknown?])[] = [
    ['GET', '/v1/attempts'],
    ['GET', `/v1/attempts?endpointId=${id}`],
    ['GET', `/v1/attempts?eventId=${eventId}`],
    ['GET', `/v1/attempts?cursor=${attemptIds[0]}`],
    ['GET', '/v1/deliveries'],
    ['GET', `/v1/deliveries?endpointId=${id}`],
    ['GET', `/v1/deliveries/${delivery.id}`],
    ['GET', `/v1/deliveries/${delivery.id}/attempts`],
    ['POST', `/v1/deliveries/${delivery.id}/retry`],
    ['POST', `/v1/endpoints/${id}/test`, {}],
    ['GET', `/v1/endpoints/${id}`],
    ['GET', `/v1/endpoints/${id}/stats`],
    ['POST', '/v1/endpoints', { url: receiver.url, uid: 'mine' }],
    ['GET', '/metrics'],
  ];
  for (const [method, path, body] of curious) {
    const { text } = await stranger.call(method, path, body);
    expect(`${method} ${path}: ${text}`).not.toContain(marker);
  }
});

interface KeptResponse {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly truncated: boolean;
}

function manyHeaders(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, 'y'.repeat(40)]));
}
