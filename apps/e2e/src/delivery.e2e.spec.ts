import { createHmac, createPublicKey, verify } from 'node:crypto';
import { startReceiver, type ReceivedRequest, type Receiver } from '@posthorn/testing';
import { Webhook } from 'standardwebhooks';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import { createTenant, patienceMs, type PageAnswer, type Tenant } from './tenant.ts';

interface SecretAnswer {
  readonly scheme: string;
  readonly secret: string;
  readonly publicKey: string | null;
  readonly expiresAt: string | null;
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

async function firstRequest(): Promise<ReceivedRequest> {
  const [request] = await receiver.waitFor(1, patienceMs);
  if (request === undefined) throw new Error('nothing came');
  return request;
}

function text(request: ReceivedRequest, header: string): string {
  const value = request.headers[header];
  if (typeof value !== 'string') throw new Error(`${header} is ${String(value)}`);
  return value;
}

/** What Standard Webhooks signs, and the signatures of one scheme over it. */
function signed(request: ReceivedRequest, scheme: string): { content: string; signatures: string[] } {
  const head = `${text(request, 'webhook-id')}.${text(request, 'webhook-timestamp')}.`;
  return {
    content: head + request.body.toString(),
    signatures: text(request, 'webhook-signature')
      .split(' ')
      .filter((signature) => signature.startsWith(`${scheme},`))
      .map((signature) => signature.slice(scheme.length + 1)),
  };
}

function hmac(content: string, secret: string): string {
  return createHmac('sha256', Buffer.from(secret.replace('whsec_', ''), 'base64'))
    .update(content)
    .digest('base64');
}

/** A raw ed25519 public key, as node takes it: RFC 8410 puts this before its 32 bytes. */
function ed25519PublicKey(whpk: string) {
  const spkiHead = Buffer.from('302a300506032b6570032100', 'hex');
  const key = Buffer.from(whpk.replace('whpk_', ''), 'base64');
  return createPublicKey({ key: Buffer.concat([spkiHead, key]), format: 'der', type: 'spki' });
}

describe('a delivery', () => {
  it('is signed so that an independent implementation of Standard Webhooks takes it', async () => {
    const { secret } = await tenant.endpoint({ url: `${receiver.url}/hooks?source=posthorn` });
    const { id } = await tenant.publish({ type: 'order.paid', data: { orderId: 42 } });
    const request = await firstRequest();
    expect(request).toMatchObject({ method: 'POST', path: '/hooks?source=posthorn' });
    expect(request.headers).toMatchObject({
      'webhook-id': id,
      'content-type': 'application/json',
      'user-agent': expect.stringMatching(/^Posthorn\/\d+\.\d+\.\d+/),
      'content-length': String(request.body.length),
    });
    const verified = new Webhook(secret).verify(
      request.body.toString(),
      request.headers as Record<string, string>,
    );
    expect(verified).toEqual({
      type: 'order.paid',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      data: { orderId: 42 },
    });
    const { content, signatures } = signed(request, 'v1');
    expect(signatures).toEqual([hmac(content, secret)]);
  });

  it('is signed with ed25519 beside it where the endpoint asks for that', async () => {
    const endpoint = await tenant.endpoint({ url: receiver.url, signing: ['v1', 'v1a'] });
    const secrets = await tenant.ok<PageAnswer<SecretAnswer>>('GET', `/v1/endpoints/${endpoint.id}/secrets`);
    const asymmetric = secrets.data.find(({ scheme }) => scheme === 'v1a');
    expect(asymmetric?.secret).toMatch(/^whsk_/);
    expect(asymmetric?.publicKey).toMatch(/^whpk_/);
    await tenant.publish({ type: 'order.paid', data: { orderId: 42 } });
    const request = await firstRequest();
    const { content, signatures } = signed(request, 'v1a');
    expect(signatures).toHaveLength(1);
    const key = ed25519PublicKey(asymmetric?.publicKey ?? '');
    expect(verify(null, Buffer.from(content), key, Buffer.from(signatures[0] ?? '', 'base64'))).toBe(true);
    expect(verify(null, Buffer.from(`${content} `), key, Buffer.from(signatures[0] ?? '', 'base64'))).toBe(
      false,
    );
    expect(signed(request, 'v1').signatures).toEqual([hmac(content, endpoint.secret)]);
  });

  it('is signed with both secrets while a rotation overlaps, and only with the new one without', async () => {
    const { id, secret: old } = await tenant.endpoint({ url: receiver.url });
    const rotate = (body: object) =>
      tenant.ok<PageAnswer<SecretAnswer>>('POST', `/v1/endpoints/${id}/secrets/rotate`, body);
    const [current, previous] = (await rotate({ overlapMs: 3_600_000 })).data;
    expect(previous?.secret).toBe(old);
    expect(previous?.expiresAt).not.toBeNull();
    expect(current?.expiresAt).toBeNull();

    await tenant.publish({ type: 'order.paid', data: 1 });
    const during = signed(await firstRequest(), 'v1');
    expect(during.signatures.toSorted()).toEqual(
      [hmac(during.content, current?.secret ?? ''), hmac(during.content, old)].toSorted(),
    );

    const own = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    await rotate({ overlapMs: 0, secret: own });
    await tenant.publish({ type: 'order.paid', data: 2 });
    const [, second] = await receiver.waitFor(2, patienceMs);
    if (second === undefined) throw new Error('nothing came');
    const after = signed(second, 'v1');
    expect(after.signatures).toContain(hmac(after.content, own));
    expect(after.signatures).not.toContain(hmac(after.content, current?.secret ?? ''));
  });

  it('carries the very bytes that were published: number text, key order, escapes and white space', async () => {
    const data =
      '{"b":1.0,  "a":12345678901234567890,"e":-0.0,"x":1E400,"caf\\u00e9":"é \\u00e9 \\/ \\ud83d\\ude00 😀",\n\t"list":[ 1 ,2.50, {} ],"b2":null}';
    await tenant.endpoint({ url: `${receiver.url}/raw`, format: 'raw' });
    await tenant.endpoint({ url: `${receiver.url}/standard` });
    await tenant.endpoint({ url: `${receiver.url}/cloudevents`, format: 'cloudevents' });
    const { id } = await tenant.publish(`{ "data" : ${data} , "type":"order.paid"}`);
    const requests = await receiver.waitFor(3, patienceMs);
    const bodyAt = (path: string) => requests.find((one) => one.path === path)?.body.toString();
    expect(bodyAt('/raw')).toBe(data);
    expect(bodyAt('/cloudevents')).toBe(data);
    expect(bodyAt('/standard')).toMatch(/^\{"type":"order.paid","timestamp":"[^"]+","data":/);
    expect(bodyAt('/standard')?.endsWith(`"data":${data}}`)).toBe(true);
    expect((await tenant.call('GET', `/v1/events/${id}/payload`)).text).toBe(data);
    expect((await tenant.call('GET', `/v1/events/${id}`)).text).toContain(`"data":${data}}`);
  });

  it('is a CloudEvent in binary mode where the endpoint asks for that', async () => {
    await tenant.endpoint({ url: receiver.url, format: 'cloudevents' });
    const occurredAt = '2026-01-31T12:00:00.000Z';
    const { id } = await tenant.publish({
      type: 'order.paid',
      data: { a: 1 },
      occurredAt,
      subject: 'user-1',
    });
    const { headers } = await firstRequest();
    expect(headers).toMatchObject({
      'ce-specversion': '1.0',
      'ce-id': id,
      'ce-type': 'order.paid',
      'ce-time': occurredAt,
      'ce-source': expect.stringMatching(/./),
      'webhook-id': id,
    });
  });

  it("carries the endpoint's own headers, whose values no answer shows", async () => {
    const endpoint = await tenant.endpoint({
      url: receiver.url,
      headers: { 'X-Api-Key': 'value-of-the-header', Authorization: 'Bearer of-the-receiver' },
    });
    expect(JSON.stringify(endpoint.headers)).not.toMatch(/value-of-the-header|of-the-receiver/);
    await tenant.publish({ type: 'order.paid', data: {} });
    expect((await firstRequest()).headers).toMatchObject({
      'x-api-key': 'value-of-the-header',
      authorization: 'Bearer of-the-receiver',
    });
  });

  it('keeps its id over all attempts, each signed at its own time', async () => {
    receiver.behave(({ request, response }) => response.writeHead(request.number < 3 ? 500 : 200).end('ok'));
    const { id: endpointId, secret } = await tenant.endpoint({
      url: receiver.url,
      retryDelaysMs: [1100, 1100],
    });
    const { id } = await tenant.publish({ type: 'order.paid', data: {} });
    const requests = await receiver.waitFor(3, patienceMs);
    expect(requests.map((request) => request.headers['webhook-id'])).toEqual([id, id, id]);
    const times = requests.map((request) => Number(request.headers['webhook-timestamp']));
    expect(new Set(times).size).toBeGreaterThan(1);
    for (const request of requests) {
      const { content, signatures } = signed(request, 'v1');
      expect(signatures).toEqual([hmac(content, secret)]);
    }
    const delivery = await tenant.deliveryIn('succeeded', id, endpointId);
    expect(delivery).toMatchObject({ attempts: 3, reason: null, nextAttemptAt: null });
    expect(await tenant.attempts(delivery.id)).toEqual([
      expect.objectContaining({ number: 1, trigger: 'schedule', outcome: 'http_error', status: 500 }),
      expect.objectContaining({ number: 2, trigger: 'schedule', outcome: 'http_error', status: 500 }),
      expect.objectContaining({
        number: 3,
        outcome: 'success',
        status: 200,
        address: '127.0.0.1',
        response: expect.objectContaining({ body: 'ok', truncated: false }),
        signature: requests[2]?.headers['webhook-signature'],
      }),
    ]);
  });
});
