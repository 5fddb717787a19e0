import { eventually, respond, startReceiver, type Receiver } from '@posthorn/testing';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import { createTenant, patienceMs, type EndpointAnswer, type Tenant } from './tenant.ts';

/** What becomes of an endpoint whose receiver is away, and what its owner sees of that. */

let platform: PlatformProcess;
let failing: Receiver;
let listener: Receiver;
let tenant: Tenant;

async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
  platform = await preparePlatform({ env });
  await platform.start();
  failing = await startReceiver();
  listener = await startReceiver();
  tenant = await createTenant(platform);
  await tenant.endpoint({ url: listener.url, eventTypes: ['posthorn.endpoint.*'] });
}
afterEach(async () => {
  await Promise.all([failing.close(), listener.close()]);
  await platform.dispose();
});

const publish = async (): Promise<string> =>
  (await tenant.publish({ type: 'order.paid', data: { n: 1 } })).id;

const seen = ({ id }: EndpointAnswer): Promise<EndpointAnswer> =>
  tenant.ok<EndpointAnswer>('GET', `/v1/endpoints/${id}`);

/** How often the listener was told of each type, of this endpoint. */
function toldOf({ id }: EndpointAnswer): Record<string, number> {
  const told: Record<string, number> = {};
  for (const { body } of listener.requests) {
    const { type, data } = JSON.parse(body.toString()) as {
      type: string;
      data: { endpoint: { id: string } };
    };
    if (data.endpoint.id === id) told[type] = (told[type] ?? 0) + 1;
  }
  return told;
}

it('opens the breaker of a receiver that fails, tells of it once, and goes on when its owner has mended it', async () => {
  await start();
  failing.behave(respond(500));
  const endpoint = await tenant.endpoint({ url: failing.url, retryDelaysMs: [600_000] });
  const first = [];
  for (let count = 0; count < 5; count += 1) first.push(await publish());
  for (const id of first) await tenant.deliveryIn('retrying', id, endpoint.id);
  await eventually(async () => expect((await seen(endpoint)).health.state).toBe('open'), {
    timeoutMs: patienceMs,
  });
  await eventually(() => expect(toldOf(endpoint)['posthorn.endpoint.failing']).toBe(1), {
    timeoutMs: patienceMs,
  });

  // The next one waits, or is the probe; once the endpoint is another, it goes out.
  const waiting = await publish();
  failing.behave(respond(204));
  await tenant.ok('PATCH', `/v1/endpoints/${endpoint.id}`, { name: 'mended' });
  await publish();
  const probed = await tenant.deliveryIn('succeeded', await publish(), endpoint.id);
  expect(probed.attempts).toBe(1);
  const delivered = await eventually(
    async () => {
      const delivery = await tenant.delivery(waiting, endpoint.id);
      expect(delivery.state).not.toBe('pending');
      return delivery;
    },
    { timeoutMs: patienceMs },
  );
  expect(delivered.attempts).toBe(1);
  await eventually(() => expect(toldOf(endpoint)['posthorn.endpoint.recovered']).toBe(1), {
    timeoutMs: patienceMs,
  });
  expect(toldOf(endpoint)['posthorn.endpoint.failing']).toBe(1);
  await eventually(async () => expect((await seen(endpoint)).health.state).toBe('healthy'), {
    timeoutMs: patienceMs,
  });
});

it('disables an endpoint that has failed for too long, and holds what waits for it', async () => {
  await start({ POSTHORN_DISABLE_AFTER_MS: '1s' });
  failing.behave(respond(404));
  const endpoint = await tenant.endpoint({ url: failing.url, retryDelaysMs: [600_000] });
  const first = await publish();
  await tenant.deliveryIn('retrying', first, endpoint.id);
  await eventually(
    async () => {
      await publish();
      expect(await seen(endpoint)).toMatchObject({ state: 'disabled', stateReason: 'failing' });
    },
    { timeoutMs: patienceMs },
  );
  expect((await tenant.deliveryIn('held', first, endpoint.id)).reason).toBe('endpoint_disabled');
  await eventually(
    () =>
      expect(toldOf(endpoint)).toMatchObject({
        'posthorn.endpoint.failing': 1,
        'posthorn.endpoint.disabled': 1,
      }),
    { timeoutMs: patienceMs },
  );
  expect(toldOf(endpoint)['posthorn.endpoint.recovered']).toBeUndefined();
});
