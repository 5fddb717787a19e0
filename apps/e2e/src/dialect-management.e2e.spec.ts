/** What clients of ricloud and xurrent do with their endpoints and policies, on the real platform: from the first request to the last. */
import { createPublicKey } from 'node:crypto';
import { compactVerify, importJWK, type JWK } from 'jose';
import { eventually, respond, startReceiver, type Receiver } from '@posthorn/testing';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import { createRestClient, type RestAnswer } from './rest-client.ts';
import { createTenant, patienceMs, type Tenant } from './tenant.ts';

type Json = Readonly<Record<string, unknown>>;

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
  tenant = await createTenant(platform, { timeZone: 'America/Chicago' });
});
afterEach(() => receiver.close());

const token = (): Readonly<Record<string, string>> => ({ authorization: `Token ${tenant.key}` });
const ricloud = (
  method: string,
  path: string,
  body?: unknown,
  awaitSeconds = 10,
): Promise<RestAnswer<Json>> =>
  tenant.call<Json>(method, path, body, { ...token(), 'ricloud-await': String(awaitSeconds) });

describe('a client of ricloud', () => {
  it('makes a config, sees it tested, breaks it, turns it off and on again, and deletes it', async () => {
    const made = await ricloud('POST', '/configs/webhook', { url: `${receiver.url}/webhooks/` });
    expect([made.status, made.body]).toMatchObject([201, { resource: 'webhook_config', state: 'valid' }]);
    const path = `/configs/webhook/${String(made.body['id'])}`;
    expect((await ricloud('GET', path)).body).toEqual(made.body);

    receiver.behave(respond(500));
    expect((await ricloud('POST', path, { url: `${receiver.url}/other` })).body).toMatchObject({
      state: 'invalid',
      url: `${receiver.url}/other`,
      secret: made.body['secret'],
    });
    const task = (await ricloud('POST', `${path}/test`, 'null')).body;
    expect(task).toMatchObject({ resource: 'task', state: 'failed', error: expect.any(String) as unknown });
    expect((await ricloud('GET', `/tasks/${String(task['id'])}`)).body).toEqual(task);

    const requests = receiver.requests.length;
    expect((await ricloud('POST', path, { state: 'deactivated' })).body).toMatchObject({
      state: 'deactivated',
    });
    expect((await ricloud('GET', '/configs/webhook')).body).toMatchObject({ data: [], total_count: 0 });
    expect((await ricloud('POST', '/tasks', {})).body).toMatchObject({ error: 'unconfigured' });
    expect(receiver.requests).toHaveLength(requests);

    receiver.behave(respond(200));
    expect((await ricloud('POST', path, { state: 'new' })).body).toMatchObject({ state: 'valid' });
    expect((await ricloud('GET', '/configs/webhook?state=valid')).body).toMatchObject({ total_count: 1 });
    expect((await ricloud('DELETE', path)).body).toMatchObject({ state: 'valid' });
    expect((await ricloud('GET', path)).status).toBe(404);
  });

  it('sees the events that went to its config, payload byte for byte', async () => {
    const config = (await ricloud('POST', '/configs/webhook', { url: receiver.url })).body;
    const { id } = await tenant.publish('{"type":"backup.file.done","data":{"n": 12345678901234567890}}');
    await tenant.deliveryIn('succeeded', id, String(config['id']));
    const { text, body } = await ricloud('GET', `/events/${id}`);
    expect(body).toMatchObject({ type: 'backup.file', action: 'done', state: 'delivered', retries: 0 });
    expect(text).toContain('"data":{"n": 12345678901234567890}');
    expect((await ricloud('GET', '/events')).body).toMatchObject({
      total_count: 2,
      data: [{ id }, { type: 'webhook_config' }],
    });
  });

  it('sees nothing of another tenant’s, nor of another dialect’s', async () => {
    const other = await createTenant(platform);
    const theirs = await other.ok<{ id: string }>('POST', '/v1/endpoints', {
      url: receiver.url,
      dialect: 'ricloud',
    });
    const native = await tenant.endpoint({ url: receiver.url });
    for (const id of [theirs.id, native.id])
      expect((await ricloud('GET', `/configs/webhook/${id}`)).status).toBe(404);
    expect((await ricloud('GET', '/configs/webhook')).body).toMatchObject({ total_count: 0 });
    const seen = await createRestClient({ url: platform.url, key: platform.operatorKey }).call<Json>(
      'GET',
      '/configs/webhook',
      undefined,
      {
        authorization: `Token ${platform.operatorKey}`,
        'posthorn-organisation': other.slug,
      },
    );
    expect(seen.body).toMatchObject({ total_count: 1, data: [{ id: theirs.id }] });
  });
});

describe('a client of xurrent', () => {
  const account = (): Readonly<Record<string, string>> => ({ 'x-4me-account': tenant.slug });
  const xurrent = (method: string, path: string, body?: unknown): Promise<RestAnswer<Json>> =>
    tenant.call<Json>(method, path, body, account());

  it('makes a policy whose key verifies what an endpoint that is tied to it gets', async () => {
    const made = await xurrent('POST', '/v1/webhook_policies', {
      jwt_alg: 'es256',
      jwt_audience: 'crm',
      jwt_claim_expires_in: '00:10',
    });
    expect([made.status, made.body]).toMatchObject([
      201,
      {
        jwt_alg: 'es256',
        jwt_audience: 'crm',
        jwt_claim_expires_in: 10,
        created_at: expect.stringMatching(/-0[56]:00$/) as unknown,
      },
    ]);
    const {
      id,
      name,
      public_key_pem: pem,
    } = made.body as { id: number; name: string; public_key_pem: string };
    expect((await xurrent('GET', `/webhook_policies/${id}`)).body).not.toHaveProperty('public_key_pem');

    await tenant.endpoint({ url: receiver.url, dialect: 'xurrent', policy: String(id) });
    const [first] = await eventually(
      () => {
        if (receiver.requests.length === 0) throw new Error('nothing came');
        return receiver.requests;
      },
      { timeoutMs: patienceMs },
    );
    const { jwt } = JSON.parse(first?.body.toString() ?? '') as { jwt: string };
    const { payload, protectedHeader } = await compactVerify(jwt, createPublicKey(pem));
    expect(protectedHeader).toMatchObject({ alg: 'ES256', kid: name });
    expect(JSON.parse(new TextDecoder().decode(payload))).toMatchObject({
      aud: 'crm',
      data: { event: 'webhook.verify', account_id: tenant.slug },
    });
    const { keys } = await tenant.ok<{ keys: JWK[] }>('GET', `/.well-known/jwks.json?kid=${name}`);
    await compactVerify(jwt, await importJWK(keys[0] ?? {}, 'ES256'));
  });

  it('lists, filters, pages and changes policies, and is told when nothing is new', async () => {
    for (const algorithm of ['none', 'hs256', 'rs256'])
      await xurrent('POST', '/webhook_policies', { jwt_alg: algorithm });
    const first = await tenant.call<Json[]>(
      'GET',
      '/webhook_policies?per_page=2&fields=jwt_alg',
      undefined,
      account(),
    );
    expect(first.body.map(({ jwt_alg }) => jwt_alg)).toEqual(['none', 'hs256']);
    const next = /<([^>]+)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    expect(next).toContain(platform.url);
    const second = await tenant.call<Json[]>('GET', next.slice(platform.url.length), undefined, account());
    expect(second.body).toMatchObject([{ jwt_alg: 'rs256' }]);
    expect(second.headers.get('x-pagination-current-page')).toBe('2');

    const id = String(second.body[0]?.['id']);
    const path = `/webhook_policies/${id}.json`;
    const etag = (await xurrent('GET', path)).headers.get('etag') ?? '';
    const unchanged = await tenant.call('GET', path, undefined, { ...account(), 'if-none-match': etag });
    expect([unchanged.status, unchanged.text]).toEqual([304, '']);
    expect((await xurrent('PUT', path, { disabled: 'yes', jwt_alg: 'rs512' })).body).toMatchObject({
      disabled: true,
      jwt_alg: 'rs512',
    });
    expect((await xurrent('PATCH', path, { jwt_alg: 'es512' })).status).toBe(422);
    expect(
      (await tenant.call<Json[]>('GET', '/webhook_policies/disabled', undefined, account())).body,
    ).toMatchObject([{ id: Number(id) }]);
    expect(
      (await tenant.call<Json[]>('GET', `/webhook_policies?id%21=${id}`, undefined, account())).body,
    ).toHaveLength(2);
  });

  it('reaches no other account', async () => {
    const other = await createTenant(platform);
    const { number } = await other.ok<{ number: number }>('POST', '/v1/policies', { algorithm: 'none' });
    expect((await xurrent('GET', `/webhook_policies/${number}`)).status).toBe(404);
    const foreign = await tenant.call('GET', '/webhook_policies', undefined, { 'x-4me-account': other.slug });
    expect([foreign.status, foreign.text]).toEqual([401, '{"message":"Unauthorized"}']);
  });
});
