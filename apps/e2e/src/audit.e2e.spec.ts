import { startReceiver, type Receiver } from '@posthorn/testing';
import { operatorKey, preparePlatform, type PlatformProcess } from './platform-process.ts';
import { runCommand } from './posthorn-command.ts';
import { createRestClient } from './rest-client.ts';
import { createTenant, type PageAnswer, type Tenant } from './tenant.ts';

interface RecordAnswer {
  readonly organisation: string | null;
  readonly actor: { readonly kind: string; readonly name: string | null; readonly operator: boolean };
  readonly action: string;
  readonly resource: string | null;
  readonly changedFields: readonly string[];
  readonly result: string;
  readonly error: string | null;
  readonly address: string | null;
  readonly requestId: string;
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

const records = async (query = ''): Promise<readonly RecordAnswer[]> =>
  (await tenant.ok<PageAnswer<RecordAnswer>>('GET', `/v1/audit${query}`)).data;

describe('the audit log', () => {
  it('has what a tenant changed and what it had sent again, by config and by the dispatcher, and how that ended', async () => {
    const endpoint = await tenant.endpoint({ url: receiver.url });
    await tenant.ok('PATCH', `/v1/endpoints/${endpoint.id}`, { description: 'private words' });
    const { id } = await tenant.publish({ type: 'order.paid', data: {} });
    const delivery = await tenant.deliveryIn('succeeded', id, endpoint.id);
    await tenant.call('POST', `/v1/deliveries/${delivery.id}/retry`, undefined, {
      'X-Request-Id': 'audit-1',
    });
    await tenant.call('POST', `/v1/deliveries/${delivery.id}/cancel`);

    const found = await records();
    // In no order: that of records of one millisecond is anyone's.
    expect(found).toHaveLength(5);
    const of = (action: string) => found.find((record) => record.action === action);
    expect(of('delivery.cancel')).toMatchObject({
      resource: delivery.id,
      result: 'failed',
      error: 'failed_precondition',
    });
    expect(of('delivery.retry')).toMatchObject({
      organisation: tenant.id,
      actor: { kind: 'key', operator: false },
      resource: delivery.id,
      result: 'ok',
      error: null,
      address: '127.0.0.1',
      requestId: 'audit-1',
    });
    const { id: resource } = endpoint;
    expect(of('endpoint.update')).toMatchObject({ resource, changedFields: ['description'], result: 'ok' });
    expect(of('endpoint.create')).toMatchObject({ resource, result: 'ok' });
    // That is how this test's tenant came to be.
    expect(of('key.create')).toMatchObject({ actor: { kind: 'key', operator: true }, result: 'ok' });
    expect(JSON.stringify(found)).not.toContain('private words');
    expect(JSON.stringify(found)).not.toContain(tenant.key);
  });

  it('shows an operator everything, a tenant nothing of another', async () => {
    const other = await createTenant(platform);
    await other.endpoint({ url: receiver.url });
    expect((await records()).every(({ organisation }) => organisation === tenant.id)).toBe(true);
    const operator = createRestClient({ url: platform.url, key: operatorKey });
    const { data } = await operator.ok<PageAnswer<RecordAnswer>>(
      'GET',
      '/v1/audit?action=organisation.create',
    );
    expect(data.map(({ resource }) => resource)).toEqual(expect.arrayContaining([tenant.id, other.id]));
  });

  it('is listed by the command line', async () => {
    const endpoint = await tenant.endpoint({ url: receiver.url });
    const { code, stdout } = await runCommand(['audit', 'list', '--resource', endpoint.id], {
      env: { POSTHORN_URL: platform.url, POSTHORN_KEY: tenant.key },
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`endpoint.create +${endpoint.id} +ok +127.0.0.1`));
  });
});
