/** The audit log over all services: what the dispatcher does is on record at config, and what can't be put on record isn't done. */
import { startStackPlatform, type StackPlatform } from '@posthorn/stack';
import { eventually, startReceiver, type Receiver } from '@posthorn/testing';
import { createTenant, patienceMs, type PageAnswer, type Tenant } from '../tenant.ts';

interface RecordAnswer {
  readonly actor: { readonly kind: string; readonly operator: boolean };
  readonly action: string;
  readonly resource: string | null;
  readonly result: string;
  readonly address: string | null;
}

let platform: StackPlatform;
let receiver: Receiver;
let tenant: Tenant;

beforeAll(async () => {
  platform = await startStackPlatform({ counts: { config: 1, dispatcher: 1 }, security: 'certificates' });
});
afterAll(() => platform.dispose());
beforeEach(async () => {
  receiver = await startReceiver();
  tenant = await platform.explain(() => createTenant(platform));
});
afterEach(() => receiver.close());

/** Waits for config: whoever calls it finds it again in its own time. */
const retriesOf = (deliveryId: string): Promise<readonly RecordAnswer[]> =>
  eventually(
    async () => {
      const query = `action=delivery.retry&resource=${deliveryId}`;
      return (await tenant.ok<PageAnswer<RecordAnswer>>('GET', `/v1/audit?${query}`)).data;
    },
    { timeoutMs: patienceMs, everyMs: 200 },
  );

it('has what was sent again by hand; while config is away, nothing is', () =>
  platform.explain(async () => {
    const endpoint = await tenant.endpoint({ url: receiver.url });
    const { id } = await tenant.publish({ type: 'order.paid', data: 1 });
    const delivery = await tenant.deliveryIn('succeeded', id, endpoint.id);
    const retry = () => tenant.call('POST', `/v1/deliveries/${delivery.id}/retry`);
    expect((await retry()).status).toBe(202);
    await receiver.waitFor(2, patienceMs);
    expect(await retriesOf(delivery.id)).toMatchObject([
      { actor: { kind: 'key', operator: false }, result: 'ok', address: '127.0.0.1' },
    ]);

    const config = platform.processes('config');
    await Promise.all(config.map((one) => one.kill()));
    expect((await retry()).status).toBe(503);
    await Promise.all(config.map((one) => one.start()));
    await eventually(async () => (await retry()).status === 202, { timeoutMs: patienceMs, everyMs: 200 });
    await receiver.waitFor(3, patienceMs);
    // The first attempt is nobody's action; each of the others has its record.
    const [attempts, retries] = [await tenant.attempts(delivery.id), await retriesOf(delivery.id)];
    expect(retries.length).toBeGreaterThanOrEqual(attempts.length - 1);
    expect(retries.length).toBeGreaterThanOrEqual(2);
  }));
