import { createHmac } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify, type JWTPayload } from 'jose';
import {
  eventually,
  failTimes,
  respond,
  respondBy,
  startReceiver,
  type ReceivedRequest,
  type Receiver,
} from '@posthorn/testing';
import { Webhook } from 'standardwebhooks';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import { createRestClient } from './rest-client.ts';
import { createTenant, patienceMs, type EndpointAnswer, type Tenant } from './tenant.ts';

/** What receivers of the four other dialects get, verified by code of their own: HMACs made here, jose, standardwebhooks. */

let platform: PlatformProcess;
let receiver: Receiver;
let tenant: Tenant;

const organisation = { name: 'Widget Data Center', accountUrl: 'https://wdc.example' };

beforeAll(async () => {
  platform = await preparePlatform();
  await platform.start();
});
afterAll(() => platform.dispose());
beforeEach(async () => {
  receiver = await startReceiver();
  tenant = await createTenant(platform, organisation);
});
afterEach(() => receiver.close());

/** What parsing and printing would change. */
const data = '{"id": 12345678901234567890,  "total": 12.50, "text": "\\u00e9\\/"}';
const publish = (type = 'order.paid', more = '') =>
  tenant.publish(`{"type":"${type}","data":${data}${more}}`);

function header(request: ReceivedRequest, name: string): string {
  const value = request.headers[name];
  if (typeof value !== 'string') throw new Error(`${name} is ${String(value)}`);
  return value;
}

const hmac = (secret: string, text: string, encoding: 'base64' | 'hex'): string =>
  createHmac('sha256', secret).update(text).digest(encoding);

interface Surroundings {
  readonly receiver: Receiver;
  readonly tenant: Tenant;
}

/**
 * The cases of a table by name, each in surroundings of its own whose receiver fails the first request. They are set up at
 * once, so that their retries are waited for together.
 */
function casesOf<T>(
  names: readonly string[],
  setUp: (name: string, own: Surroundings) => Promise<T>,
): (name: string) => Surroundings & T {
  const cases = new Map<string, Surroundings & T>();
  beforeAll(async () => {
    await Promise.all(
      names.map(async (name) => {
        const own = {
          receiver: await startReceiver({ behaviour: failTimes(1, respond(500)) }),
          tenant: await createTenant(platform, organisation),
        };
        cases.set(name, { ...own, ...(await setUp(name, own)) });
      }),
    );
  });
  afterAll(async () => {
    await Promise.all([...cases.values()].map((own) => own.receiver.close()));
  });
  return (name) => {
    const found = cases.get(name);
    if (found === undefined) throw new Error(`there is no case ${name}`);
    return found;
  };
}

/** Fails the first `count` requests that `concern` picks. */
function failFirst(count: number, concern: (request: ReceivedRequest) => boolean = () => true): void {
  let failed = 0;
  receiver.behave(respondBy((request) => respond(concern(request) && ++failed <= count ? 500 : 200)));
}

async function requestsOf(count: number, concern: (request: ReceivedRequest) => boolean) {
  return eventually(
    () => {
      const those = receiver.requests.filter(concern);
      if (those.length < count) throw new Error(`${those.length} of ${receiver.requests.length} came`);
      return those;
    },
    { timeoutMs: patienceMs },
  );
}

describe('a ricloud receiver', () => {
  const isTest = ({ body }: ReceivedRequest): boolean => body.includes('"type":"webhook_config"');

  function expectSigned(request: ReceivedRequest, secret: string): number {
    const [, t = '', s] = /^t=(\d+),s=(.*)$/.exec(header(request, 'ricloud-signature')) ?? [];
    expect(s).toBe(hmac(secret, `${t}.${request.body.toString()}`, 'base64'));
    expect(Math.abs(Date.now() / 1000 - Number(t))).toBeLessThan(60);
    return Number(t);
  }

  async function valid(url = `${receiver.url}/webhooks/?key=1`): Promise<EndpointAnswer> {
    const endpoint = await tenant.endpoint({ url, dialect: 'ricloud', retryDelaysMs: [1500, 1500] });
    await eventually(
      async () =>
        expect(await tenant.ok('GET', `/v1/endpoints/${endpoint.id}`)).toMatchObject({
          verification: 'passed',
        }),
      { timeoutMs: patienceMs },
    );
    return endpoint;
  }

  it('is tested once with the whole config but its secret, at a URL that ends with the id', async () => {
    const { id, secret } = await valid();
    const [test, ...others] = receiver.requests;
    if (test === undefined) throw new Error('nothing came');
    const body = JSON.parse(test.body.toString()) as { id: string; data: object };

    expect(others).toEqual([]);
    expect(test).toMatchObject({ method: 'POST', path: `/webhooks/${body.id}?key=1` });
    expect(test.headers['content-type']).toBe('application/json');
    expect(body).toMatchObject({ resource: 'event', type: 'webhook_config', action: 'test', retries: 0 });
    expect(Object.keys(body.data)).toEqual([
      'id',
      'resource',
      'organisation',
      'url',
      'state',
      'date_created',
    ]);
    expect(body.data).toMatchObject({ id, resource: 'webhook_config', organisation: tenant.id });
    expect(test.body.toString()).not.toContain(secret);
    expectSigned(test, secret);
  });

  it('gets the payload as it was published, signed anew on a retry that says how many there were', async () => {
    const { id: endpointId, secret } = await valid();
    failFirst(1);
    const { id } = await publish('order.item.paid');
    const [first, second] = await requestsOf(2, (request) => !isTest(request));
    if (first === undefined || second === undefined) throw new Error('too few came');

    const created = /"date_created":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)"/.exec(
      first.body.toString(),
    )?.[1];
    const expected = (retries: number): string =>
      `{"id":"${id}","resource":"event","type":"order.item","action":"paid","data":${data},` +
      `"state":"pending","retries":${retries},"date_created":"${created}","date_delivered":null}`;
    expect(first.body.toString()).toBe(expected(0));
    expect(second.body.toString()).toBe(expected(1));
    expect(first.path).toBe(`/webhooks/${id}?key=1`);
    expect(second.path).toBe(first.path);
    expect(expectSigned(second, secret)).toBeGreaterThan(expectSigned(first, secret));
    expect((await tenant.deliveryIn('succeeded', id, endpointId)).attempts).toBe(2);
  });
});

describe('a xurrent receiver', () => {
  const jwtOf = ({ body }: ReceivedRequest): string => (JSON.parse(body.toString()) as { jwt: string }).jwt;

  function partOf(jwt: string, index: number): string {
    return Buffer.from(jwt.split('.')[index] ?? '', 'base64url').toString();
  }

  interface PolicyAnswer {
    readonly id: string;
    readonly name: string;
    readonly sharedSecret?: string;
  }

  /** What jose makes of a token with the key that its policy shows. */
  async function verified(
    jwt: string,
    { name, sharedSecret }: PolicyAnswer,
    algorithm: string,
  ): Promise<JWTPayload> {
    const options = { algorithms: [algorithm.toUpperCase()], audience: 'some audience', maxTokenAge: 60 };
    const { payload, protectedHeader } =
      sharedSecret === undefined
        ? await jwtVerify(
            jwt,
            createRemoteJWKSet(new URL(`${platform.url}/.well-known/jwks.json?kid=${name}`)),
            options,
          )
        : await jwtVerify(jwt, Buffer.from(sharedSecret), options);
    expect(protectedHeader).toEqual({ typ: 'JWT', alg: algorithm.toUpperCase(), kid: name });
    return payload;
  }

  const algorithms = ['hs256', 'hs384', 'hs512', 'rs256', 'rs384', 'rs512', 'es256', 'es384', 'es512'];
  const signingWith = casesOf(algorithms, async (algorithm, own) => {
    const settings = { algorithm, audience: 'some audience', expiresInMinutes: 12 };
    const policy = await own.tenant.ok<PolicyAnswer>('POST', '/v1/policies', settings);
    const endpoint = await own.tenant.endpoint({
      url: own.receiver.url,
      dialect: 'xurrent',
      policy: policy.id,
      name: 'My hook',
      retryDelaysMs: [1500, 1500],
    });
    return { policy, endpoint };
  });

  it.each(algorithms)('verifies what a policy of %s signs, also on a retry, with jose', async (algorithm) => {
    const { receiver, tenant, policy, endpoint } = signingWith(algorithm);
    const requests = await receiver.waitFor(2, patienceMs);
    const claims: JWTPayload[] = [];
    for (const request of requests) claims.push(await verified(jwtOf(request), policy, algorithm));

    const { number } = await tenant.ok<{ number: number }>('GET', `/v1/endpoints/${endpoint.id}`);
    for (const { iat = 0, ...payload } of claims) {
      expect(payload).toEqual({
        data: {
          webhook_id: number,
          account_id: tenant.slug,
          account: 'https://wdc.example',
          name: 'My hook',
          event: 'webhook.verify',
          object_id: number,
          payload: { callback: expect.stringContaining(`${platform.url}/callbacks/`) },
        },
        jti: expect.stringMatching(/^[0-9a-f]{64}$/),
        sub: String(number),
        iss: 'https://wdc.example',
        nbf: iat,
        aud: 'some audience',
        exp: iat + 720,
      });
    }
    expect(claims[1]?.jti).not.toBe(claims[0]?.jti);
    expect(claims[1]?.iat).toBeGreaterThan(claims[0]?.iat ?? 0);
    const [first, second] = requests;
    for (const { headers } of requests) {
      expect(headers).toMatchObject({
        'content-type': 'application/json; charset=utf-8',
        'user-agent': '4me/1.0 (https://developer.4me.com/v1/webhooks)',
        'x-4me-delivery': first?.headers['x-xurrent-delivery'],
      });
    }
    expect(second?.headers['x-4me-delivery']).toBe(first?.headers['x-4me-delivery']);
  });

  it('gets an unsigned token where the algorithm is none, and the plain data where there is no policy', async () => {
    const policy = await tenant.ok<PolicyAnswer>('POST', '/v1/policies', { algorithm: 'none' });
    await tenant.endpoint({ url: `${receiver.url}/none`, dialect: 'xurrent', policy: policy.id });
    await tenant.endpoint({ url: `${receiver.url}/plain`, dialect: 'xurrent' });
    const [unsigned] = await requestsOf(1, ({ path }) => path === '/none');
    const [plain] = await requestsOf(1, ({ path }) => path === '/plain');
    if (unsigned === undefined || plain === undefined) throw new Error('too few came');

    const jwt = jwtOf(unsigned);
    expect(jwt).toMatch(/^[\w-]+\.[\w-]+\.$/);
    expect(partOf(jwt, 0)).toBe(`{"typ":"JWT","alg":"none","kid":"${policy.name}"}`);
    expect(JSON.parse(plain.body.toString())).toMatchObject({
      event: 'webhook.verify',
      account_id: tenant.slug,
    });
  });

  it('has called back before it answers, and then gets what was held, byte for byte', async () => {
    const called: Promise<Response>[] = [];
    receiver.behave(({ request, response }) => {
      const { callback } = (JSON.parse(request.body.toString()) as { payload: { callback?: string } })
        .payload;
      if (callback === undefined) response.end();
      else called.push(fetch(callback).finally(() => response.end()));
    });
    await tenant.endpoint({ url: receiver.url, dialect: 'xurrent' });
    await publish();
    const [, second] = await receiver.waitFor(2, patienceMs);

    expect((await Promise.all(called)).map(({ status }) => status)).toEqual([200]);
    expect(second?.body.toString()).toMatch(
      /"event":"order.paid","object_id":12345678901234567890,"payload":\{/,
    );
    expect(second?.body.toString().endsWith(`"payload":${data}}`)).toBe(true);
  });
});

describe('a rapidly receiver', () => {
  /** The library decodes what it is given: the bytes of the whole text. */
  const verifier = (secret: string): Webhook => new Webhook(Buffer.from(secret).toString('base64'));

  const formats = ['raw', 'discord', 'slack'];
  const gettingFormat = casesOf(formats, async (format, own) => {
    const endpoint = await own.tenant.endpoint({
      url: own.receiver.url,
      dialect: 'rapidly',
      format,
      retryDelaysMs: [2500, 2500],
    });
    const event = await own.tenant.publish(`{"type":"share.created","data":${data}}`);
    return { endpoint, event };
  });

  it.each(formats)('verifies the format %s with standardwebhooks, also on a retry', async (format) => {
    const { receiver, tenant, endpoint, event } = gettingFormat(format);
    const [first, second] = await receiver.waitFor(2, patienceMs);
    if (first === undefined || second === undefined) throw new Error('too few came');

    for (const { body, headers } of [first, second]) {
      verifier(endpoint.secret).verify(body.toString(), headers as Record<string, string>);
      expect(headers).toMatchObject({
        'user-agent': 'rapidly.tech webhooks',
        'content-type': 'application/json',
      });
    }
    expect(second.body).toEqual(first.body);
    const delivery = await tenant.deliveryIn('succeeded', event.id, endpoint.id);
    expect([first, second].map((request) => header(request, 'webhook-id'))).toEqual([
      delivery.id,
      delivery.id,
    ]);
    expect(header(second, 'webhook-timestamp')).not.toBe(header(first, 'webhook-timestamp'));
    const text = first.body.toString();
    if (format === 'raw') expect(text.endsWith(`"data":${data}}`)).toBe(true);
    else {
      expect(text).toContain('12345678901234567890');
      expect(text).toContain('Widget Data Center');
    }
  });

  it('verifies with a secret that its owner brought along', async () => {
    const secret = 'an old secret of any form, longer than thirty-two';
    await tenant.endpoint({ url: receiver.url, dialect: 'rapidly', secret });
    await publish();
    const [request] = await receiver.waitFor(1, patienceMs);

    const headers = request?.headers as Record<string, string>;
    expect(verifier(secret).verify(request?.body.toString() ?? '', headers)).toMatchObject({
      type: 'order.paid',
    });
  });

  it('that answers 410 is tried again', async () => {
    const { id } = await tenant.endpoint({ url: receiver.url, dialect: 'rapidly' });
    receiver.behave(respondBy(() => respond(receiver.requests.length === 1 ? 410 : 200)));
    const event = await publish();

    expect((await tenant.deliveryIn('succeeded', event.id, id)).attempts).toBe(2);
  });

  it('whose name does not resolve fails at once, with the text that rapidly has for it', async () => {
    const { id } = await tenant.endpoint({ url: 'https://nobody.invalid/hook', dialect: 'rapidly' });
    const event = await publish();
    const { attempts, lastAttempt } = await tenant.deliveryIn('failed', event.id, id);

    expect(attempts).toBe(1);
    expect(lastAttempt).toMatchObject({
      outcome: 'dns',
      status: null,
      error: 'URL resolves to a private/internal IP address',
    });
  });

  it('is switched off when the last ten that ended all failed, and what is pending is held', async () => {
    // A refusal is an answer: it opens no breaker, which would keep the tenth waiting.
    receiver.behave(400);
    const { id } = await tenant.endpoint({ url: receiver.url, dialect: 'rapidly', retryDelaysMs: [] });
    for (let n = 0; n < 9; n += 1) await tenant.deliveryIn('exhausted', (await publish()).id, id);
    expect((await tenant.ok<EndpointAnswer>('GET', `/v1/endpoints/${id}`)).state).toBe('enabled');
    await tenant.ok('PATCH', `/v1/endpoints/${id}`, { retryDelaysMs: [600_000] });
    const pending = await publish();
    await tenant.deliveryIn('retrying', pending.id, id);
    await tenant.ok('PATCH', `/v1/endpoints/${id}`, { retryDelaysMs: [] });
    await tenant.deliveryIn('exhausted', (await publish()).id, id);

    await eventually(
      async () =>
        expect(await tenant.ok('GET', `/v1/endpoints/${id}`)).toMatchObject({
          state: 'disabled',
          stateReason: 'failing',
        }),
      { timeoutMs: patienceMs },
    );
    expect((await tenant.deliveryIn('held', pending.id, id)).reason).toBe('endpoint_disabled');
  });
});

describe('a preo receiver', () => {
  it('gets the same body and signature on a retry, and another signature after a rotation', async () => {
    const { id, secret } = await tenant.endpoint({
      url: receiver.url,
      dialect: 'preo',
      retryDelaysMs: [300, 300],
    });
    failFirst(1);
    const event = await publish('order.paid', ',"labels":{"edition_id":"e1"}');
    const [first, second] = await receiver.waitFor(2, patienceMs);
    if (first === undefined || second === undefined) throw new Error('too few came');
    const delivery = await tenant.deliveryIn('succeeded', event.id, id);

    const created = /"created":"([^"]*)"/.exec(first.body.toString())?.[1];
    expect(first.body.toString()).toBe(
      `{"event":"order.paid","created":"${created}","organization_id":"${tenant.id}","edition_id":"e1","data":${data}}`,
    );
    expect(second.body).toEqual(first.body);
    for (const { headers, body } of [first, second]) {
      expect(headers).toMatchObject({
        'content-type': 'application/json',
        'x-webhook-event': 'order.paid',
        'x-webhook-delivery': delivery.id,
        'x-webhook-signature': hmac(secret, body.toString(), 'hex'),
      });
    }

    await tenant.ok('POST', `/v1/endpoints/${id}/secrets/rotate`, {
      secret: 'another secret of thirty-two characters',
    });
    await publish();
    const [, , third] = await receiver.waitFor(3, patienceMs);
    expect(third?.headers['x-webhook-signature']).toBe(
      hmac('another secret of thirty-two characters', third?.body.toString() ?? '', 'hex'),
    );
  });

  it('gets only the events of its edition', async () => {
    await tenant.endpoint({ url: receiver.url, dialect: 'preo', editionId: 'e1' });
    await publish();
    await publish('order.paid', ',"labels":{"edition_id":"e2"}');
    await publish('order.last', ',"labels":{"edition_id":"e1"}');
    const [request] = await receiver.waitFor(1, patienceMs);

    expect(request?.headers['x-webhook-event']).toBe('order.last');
  });
});

describe('a receiver of any dialect', () => {
  it('can tell the trace that an event was published in', async () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    for (const dialect of ['standard', 'rapidly', 'preo']) {
      await tenant.endpoint({ url: `${receiver.url}/${dialect}`, dialect });
    }
    const traced = createRestClient({ url: platform.url, key: tenant.key });
    await traced.call('POST', '/v1/events', `{"type":"order.paid","data":${data}}`, {
      traceparent: `00-${trace}-00f067aa0ba902b7-01`,
    });
    const requests = await receiver.waitFor(3, patienceMs);

    const spans = requests.map((request) =>
      /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/.exec(header(request, 'traceparent')),
    );
    expect(spans.map((span) => span?.[1])).toEqual([trace, trace, trace]);
    expect(new Set([...spans.map((span) => span?.[2]), '00f067aa0ba902b7']).size).toBe(4);
  });
});
