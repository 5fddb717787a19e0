import { createPublicKey, verify, type JsonWebKey } from 'node:crypto';
import { eventually, respond, respondBy, startReceiver, type Receiver } from '@posthorn/testing';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import { createRestClient } from './rest-client.ts';
import { createTenant, patienceMs, type EndpointAnswer, type Tenant } from './tenant.ts';

/** Endpoints of other dialects, made and managed by the native API, and what is published there reaching them. */

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

interface DialectEndpoint extends EndpointAnswer {
  readonly verification: string;
}

interface Token {
  readonly header: { readonly alg: string; readonly kid: string };
  readonly data: {
    readonly event: string;
    readonly payload: { readonly callback?: string; readonly n?: number };
  };
}

const verificationIs = (uid: string, wanted: string): Promise<void> =>
  eventually(
    async () => {
      const { verification } = await tenant.ok<DialectEndpoint>('GET', `/v1/endpoints/${uid}`);
      expect(verification).toBe(wanted);
    },
    { timeoutMs: patienceMs },
  );

/** Reads a compact JWS and checks its signature with the key that its `kid` leads to. */
async function readToken(body: Buffer): Promise<Token> {
  const { jwt } = JSON.parse(body.toString()) as { jwt: string };
  const [head = '', payload = '', signature = ''] = jwt.split('.');
  const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Token['header'];
  const answer = await fetch(`${platform.url}/.well-known/jwks.json?kid=${header.kid}`);
  const { keys } = (await answer.json()) as { keys: [JsonWebKey] };
  const key = { key: createPublicKey({ key: keys[0], format: 'jwk' }), dsaEncoding: 'ieee-p1363' } as const;
  const isGenuine = verify(
    'sha256',
    Buffer.from(`${head}.${payload}`),
    key,
    Buffer.from(signature, 'base64url'),
  );
  expect(isGenuine).toBe(true);
  const { data } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Pick<Token, 'data'>;
  return { header, data };
}

describe('an endpoint of xurrent', () => {
  it.each(['rs256', 'es256'])(
    'is told by a token of %s to call back, and gets what was held once it has',
    async (algorithm) => {
      const policy = await tenant.ok<{ id: string; name: string }>('POST', '/v1/policies', { algorithm });
      const url = `${receiver.url}/hook`;
      await tenant.ok('POST', '/v1/endpoints', { url, dialect: 'xurrent', policy: policy.id, uid: 'mine' });
      await tenant.publish({ type: 'order.paid', data: { n: 1 } });

      const [first] = await receiver.waitFor(1, patienceMs);
      const token = await readToken(first?.body ?? Buffer.alloc(0));
      expect(token).toMatchObject({ header: { kid: policy.name }, data: { event: 'webhook.verify' } });
      expect(receiver.requests).toHaveLength(1);
      const { callback = '' } = token.data.payload;
      expect(new URL(callback).origin).toBe(platform.url);
      expect((await fetch(`${callback}x`)).status).toBe(404);
      await verificationIs('mine', 'pending');

      expect((await fetch(callback)).status).toBe(200);
      expect((await fetch(callback, { method: 'POST' })).status).toBe(200);
      await verificationIs('mine', 'passed');
      const requests = await receiver.waitFor(2, patienceMs);
      const second = await readToken(requests[1]?.body ?? Buffer.alloc(0));
      expect(second.data).toMatchObject({ event: 'order.paid', payload: { n: 1 } });
    },
  );
});

describe('the endpoints of ricloud', () => {
  const pathsOfEvents = (): readonly string[] =>
    receiver.requests
      .filter(({ body }) => !body.toString().includes('"webhook_config"'))
      .map(({ path }) => path.replace(/\/[^/]*$/, ''));
  const create = async (uid: string): Promise<DialectEndpoint> => {
    const made = { url: `${receiver.url}/${uid}`, dialect: 'ricloud', uid };
    const endpoint = await tenant.ok<DialectEndpoint>('POST', '/v1/endpoints', made);
    await verificationIs(uid, 'passed');
    return endpoint;
  };
  const expectPaths = (paths: readonly string[]): Promise<void> =>
    eventually(() => expect(pathsOfEvents()).toEqual(paths), { timeoutMs: patienceMs });

  it('get each event once: as the publishing key says, else the organisation, else the oldest that is valid', async () => {
    await create('oldest');
    await create('default');
    await create('named');
    await tenant.publish({ type: 'order.paid', data: 1 });
    await expectPaths(['/oldest']);

    const operator = createRestClient({ url: platform.url, key: platform.operatorKey });
    await operator.ok('PATCH', `/v1/organisations/${tenant.slug}`, { defaultRicloudEndpoint: 'default' });
    await tenant.publish({ type: 'order.paid', data: 2 });
    await expectPaths(['/oldest', '/default']);

    const key = { name: 'routed', scopes: ['events:write'], routesTo: 'named' };
    const { token } = await tenant.ok<{ token: string }>('POST', '/v1/keys', key);
    const routed = createRestClient({ url: platform.url, key: token });
    await routed.ok('POST', '/v1/events', { type: 'order.paid', data: 3 });
    await expectPaths(['/oldest', '/default', '/named']);
  });

  it('get nothing while their test has failed: what comes is held, and can be sent when they are valid', async () => {
    let isUp = false;
    receiver.behave(respondBy(() => respond(isUp ? 200 : 500)));
    const made = { url: `${receiver.url}/a`, dialect: 'ricloud', uid: 'mine' };
    const { id } = await tenant.ok<DialectEndpoint>('POST', '/v1/endpoints', made);
    await verificationIs('mine', 'failed');
    const event = await tenant.publish({ type: 'order.paid', data: 1 });
    const held = await tenant.deliveryIn('held', event.id, id);
    expect(held.reason).toBe('endpoint_not_valid');

    isUp = true;
    await tenant.ok('POST', '/v1/endpoints/mine/verify');
    await verificationIs('mine', 'passed');
    await tenant.ok('POST', `/v1/deliveries/${held.id}/retry`);
    await tenant.deliveryIn('succeeded', event.id, id);
    expect(pathsOfEvents()).toEqual(['/a']);
  });
});
