import { configV1, signatureSchemeTable } from '@posthorn/contracts';
import { DomainError } from '@posthorn/models';
import { acme } from '../../testing/fake-services.harness.ts';
import { sampleEndpoint, sampleHealth, sampleTime } from '../../testing/sample-messages.harness.ts';
import { startTestGateway, type TestGateway } from '../../testing/test-gateway.harness.ts';

let running: TestGateway;
/** What the services were asked last, by method. */
const asked = new Map<string, unknown>();
let isDispatcherAway = false;

function answer<Request, Response>(
  name: string,
  respond: (request: Request) => Response,
): (request: Request) => Promise<Response> {
  return (request) => {
    asked.set(name, request);
    return Promise.resolve(respond(request));
  };
}

const secret: configV1.Secret = {
  scheme: signatureSchemeTable.toMessage('v1'),
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  createdAt: sampleTime,
  expiresAt: undefined,
};
const { id } = sampleEndpoint();
const path = `/v1/endpoints/${id}`;

beforeAll(async () => {
  running = await startTestGateway({
    handlers: {
      endpoints: {
        createEndpoint: answer('create', () => ({ endpoint: sampleEndpoint(), secrets: [secret] })),
        getEndpoint: answer('get', ({ idOrUid }: configV1.GetEndpointRequest) => {
          if (idOrUid !== id && idOrUid !== 'billing')
            throw new DomainError('not_found', 'There is no such endpoint.');
          return { endpoint: sampleEndpoint(), secrets: [] };
        }),
        listEndpoints: answer('list', () => ({
          endpoints: [sampleEndpoint(), sampleEndpoint({ id: id.replace('e1', 'e2') })],
          nextCursor: 'bmV4dA',
        })),
        updateEndpoint: answer('update', ({ expectedVersion }: configV1.UpdateEndpointRequest) => {
          if (expectedVersion !== undefined && expectedVersion !== 3n) {
            throw new DomainError('version_conflict', 'The endpoint is at version 3.');
          }
          return { endpoint: sampleEndpoint({ version: 4 }), secrets: [] };
        }),
        deleteEndpoint: answer('delete', () => ({})),
      },
      activity: {
        getHealth: (request) => {
          asked.set('health', request);
          return isDispatcherAway
            ? Promise.reject(new DomainError('unavailable', 'The dispatcher is away.'))
            : Promise.resolve({ endpoints: [sampleHealth()] });
        },
      },
    },
  });
});
afterAll(() => running.gateway.stop(1_000));
beforeEach(() => {
  asked.clear();
  isDispatcherAway = false;
});

describe('creating', () => {
  test('passes on what dialects have: the policy, the edition, a secret of any form', async () => {
    await running.call('POST', '/v1/endpoints', {
      body: { url: 'https://example.com', dialect: 'xurrent', policy: '7' },
    });
    expect(asked.get('create')).toMatchObject({
      endpoint: { dialect: configV1.Dialect.DIALECT_XURRENT, policyId: '7' },
      given: ['url', 'policy_id'],
    });
    const body = { url: 'https://example.com', dialect: 'preo', editionId: 'e1', secret: 'plain text' };
    await running.call('POST', '/v1/endpoints', { body });
    expect(asked.get('create')).toMatchObject({
      endpoint: { dialect: configV1.Dialect.DIALECT_PREO, editionId: 'e1' },
      secret: 'plain text',
    });
  });

  test('answers 201 with everything that it is, its first secret and its ETag', async () => {
    const created = await running.call('POST', '/v1/endpoints', {
      body: { url: 'https://example.com/hooks' },
    });
    expect([created.status, created.headers.get('etag')]).toEqual([201, '"3"']);
    expect(created.body).toEqual({
      id,
      number: 7,
      uid: null,
      dialect: 'standard',
      organisation: acme.id,
      url: 'https://example.com/hooks',
      name: '',
      description: '',
      state: 'enabled',
      stateReason: null,
      verification: 'none',
      verificationExpiresAt: null,
      policy: null,
      editionId: null,
      eventTypes: null,
      labels: null,
      filter: null,
      format: 'standard',
      signing: ['v1'],
      headers: {},
      timeoutMs: 15_000,
      retryDelaysMs: expect.arrayContaining([5_000]) as unknown,
      maxInFlight: 100,
      rateLimit: null,
      ordering: 'none',
      onExhausted: 'skip',
      metadata: {},
      health: {
        state: 'healthy',
        consecutiveFailures: 0,
        failingSince: null,
        lastSuccessAt: null,
        waiting: 0,
      },
      version: 3,
      createdAt: '2026-01-31T12:00:00.000Z',
      updatedAt: '2026-01-31T12:00:00.000Z',
      secret: secret.secret,
    });
  });

  test('hands on every setting, and which were given', async () => {
    await running.call('POST', '/v1/endpoints', {
      body: {
        url: 'https://example.com/hooks',
        dialect: 'standard',
        uid: 'billing',
        name: 'Billing',
        description: 'Two\nlines',
        eventTypes: ['order.*'],
        labels: { region: ['eu', 'us'] },
        filter: { 'order.total': { $gte: 100 } },
        format: 'cloudevents',
        signing: ['v1', 'v1a'],
        headers: { 'X-Team': 'billing' },
        timeoutMs: 5_000,
        retryDelaysMs: [],
        maxInFlight: 2,
        rateLimit: { perSecond: 0.5 },
        ordering: 'key',
        onExhausted: 'hold',
        metadata: { team: 'billing' },
        secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      },
    });
    expect(asked.get('create')).toMatchObject({
      secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      given: expect.arrayContaining(['retry_delays_ms', 'filter_json', 'event_types']) as unknown,
      endpoint: {
        organisationId: acme.id,
        uid: 'billing',
        eventTypes: { values: ['order.*'] },
        labels: { anyOf: { region: { values: ['eu', 'us'] } } },
        filterJson: '{"order.total":{"$gte":100}}',
        format: configV1.EndpointFormat.ENDPOINT_FORMAT_CLOUDEVENTS,
        signing: [1, 2],
        headers: { 'X-Team': 'billing' },
        timeoutMs: 5_000,
        retryDelaysMs: [],
        maxInFlight: 2,
        rateLimit: { perSecond: 0.5, burst: 1 },
        ordering: configV1.EndpointOrdering.ENDPOINT_ORDERING_KEY,
        onExhausted: configV1.OnExhausted.ON_EXHAUSTED_HOLD,
        metadata: { team: 'billing' },
      },
    });
  });

  test.each([
    ['a URL with credentials', { url: 'https://u:p@example.com' }, '/url'],
    ['a private address', { url: 'http://10.0.0.1/' }, '/url'],
    ['a loopback address', { url: 'http://[::1]/' }, '/url'],
    ['a name under localhost', { url: 'http://app.localhost/' }, '/url'],
    ['a URL with a space', { url: 'https://example.com/a b' }, '/url'],
    ['no web URL', { url: 'ftp://example.com' }, '/url'],
    ['a missing URL', {}, '/url'],
    ['a uid that looks like an id', { uid: '01890000-0000-4000-8000-0000000000e1' }, '/uid'],
    ['a uid with a slash', { uid: 'a/b' }, '/uid'],
    ['no event types at all', { eventTypes: [] }, '/eventTypes'],
    ['a broken pattern', { eventTypes: ['order.paid', '*.paid'] }, '/eventTypes/1'],
    ['labels without values', { labels: { region: [] } }, '/labels/region'],
    ['an unknown operator', { filter: { a: { $regex: 'x' } } }, '/filter/a/$regex'],
    ['an unknown format', { format: 'xml' }, '/format'],
    ['signing with v1a alone', { signing: ['v1a'] }, '/signing'],
    ['a header of ours', { headers: { 'Webhook-Id': 'x' } }, '/headers/Webhook-Id'],
    ['a header with a line end', { headers: { 'X-A': 'a\r\nX-B: b' } }, '/headers/X-A'],
    ['too short a timeout', { timeoutMs: 10 }, '/timeoutMs'],
    ['half a millisecond', { timeoutMs: 1000.5 }, '/timeoutMs'],
    ['too many retries', { retryDelaysMs: Array.from({ length: 21 }, () => 1_000) }, '/retryDelaysMs'],
    ['no place at all', { maxInFlight: 0 }, '/maxInFlight'],
    ['no rate at all', { rateLimit: { perSecond: 0 } }, '/rateLimit/perSecond'],
    ['a rate that says nothing', { rateLimit: {} }, '/rateLimit/perSecond'],
    ['a burst of none', { rateLimit: { perSecond: 1, burst: 0 } }, '/rateLimit/burst'],
    ['metadata that isn’t text', { metadata: { a: 1 } }, '/metadata/a'],
    ['an unknown dialect', { dialect: 'svix' }, '/dialect'],
    ['a format of another dialect', { dialect: 'rapidly', format: 'cloudevents' }, '/format'],
    ['a scheme where a dialect signs', { dialect: 'preo', signing: ['v1'] }, '/signing'],
    ['a policy that would sign nothing', { policy: '7' }, '/policy'],
    ['an edition where there is none', { editionId: 'e' }, '/editionId'],
    [
      'a header that the dialect sets',
      { dialect: 'ricloud', headers: { 'Ricloud-Signature': 'x' } },
      '/headers/Ricloud-Signature',
    ],
    ['an order that there is not', { ordering: 'strict' }, '/ordering'],
    ['a state', { state: 'paused' }, '/state'],
  ])('%s is refused', async (_, fields, field) => {
    const body = 'url' in fields || field === '/url' ? fields : { url: 'https://example.com', ...fields };
    const refused = await running.call('POST', '/v1/endpoints', { body });
    expect([refused.status, refused.body]).toEqual([
      400,
      expect.objectContaining({ violations: [expect.objectContaining({ field })] }),
    ]);
    expect(asked.has('create')).toBe(false);
  });
});

describe('reading', () => {
  test('shows its health, its filter as JSON and its ETag', async () => {
    const read = await running.call('GET', '/v1/endpoints/billing');
    expect([read.status, read.headers.get('etag')]).toEqual([200, '"3"']);
    expect(read.body).toMatchObject({
      health: {
        state: 'failing',
        consecutiveFailures: 2,
        failingSince: '2026-01-31T12:00:00.000Z',
        lastSuccessAt: null,
        waiting: 5,
      },
    });
    expect(read.body).not.toHaveProperty('secret');
  });

  test('answers with health null while the dispatcher is away', async () => {
    isDispatcherAway = true;
    const read = await running.call('GET', path);
    expect([read.status, read.body]).toEqual([200, expect.objectContaining({ id, health: null })]);
  });

  test.each(['"3"', 'W/"3"', '"1", "3"', '*'])('answers 304 to If-None-Match: %s', async (tag) => {
    const read = await running.call('GET', path, { headers: { 'If-None-Match': tag } });
    expect([read.status, read.text, read.headers.get('etag')]).toEqual([304, '', '"3"']);
  });

  test.each(['"2"', 'nonsense'])('answers in full to If-None-Match: %s', async (tag) => {
    expect((await running.call('GET', path, { headers: { 'If-None-Match': tag } })).status).toBe(200);
  });

  test('lists pages with the health of all, asked for at once', async () => {
    const list = await running.call('GET', '/v1/endpoints?limit=2&cursor=YWJj&state=paused');
    expect(asked.get('list')).toEqual({ organisationId: acme.id, limit: 2, cursor: 'YWJj', state: 2 });
    expect(asked.get('health')).toEqual({
      organisationId: acme.id,
      endpointIds: [id, id.replace('e1', 'e2')],
    });
    expect(list.body).toMatchObject({
      nextCursor: 'bmV4dA',
      data: [{ health: { state: 'failing' } }, { health: null }],
    });
  });
});

describe('changing', () => {
  test('hands on what was given and nothing else', async () => {
    const changed = await running.call('PATCH', path, { body: { uid: null, filter: null, name: 'New' } });
    expect([changed.status, changed.headers.get('etag')]).toEqual([200, '"4"']);
    expect(asked.get('update')).toMatchObject({
      idOrUid: id,
      updateMask: ['uid', 'filter_json', 'name'],
      endpoint: { name: 'New' },
      expectedVersion: undefined,
    });
  });

  test.each([
    ['"3"', 200],
    ['*', 200],
    ['"3", "nonsense"', 200],
    ['"2"', 412],
    ['W/"3"', 412],
    ['"nonsense"', 412],
    ['3', 400],
    ['', 400],
    ['"2", "3"', 400],
  ])('with If-Match: %s answers %i', async (tag, status) => {
    const changed = await running.call('PATCH', path, {
      body: { name: 'New' },
      headers: { 'If-Match': tag },
    });
    expect(changed.status).toBe(status);
    if (status === 412) expect(changed.body).toMatchObject({ code: 'version_conflict' });
  });

  test.each([[{ organisation: 'acme' }], [{ id }], [{ url: null }], [{ secret: 'x' }]])(
    '%j is refused',
    async (body) => {
      expect((await running.call('PATCH', path, { body })).status).toBe(400);
    },
  );

  test('deletes the version that was seen', async () => {
    const deleted = await running.call('DELETE', path, { headers: { 'If-Match': '"3"' } });
    expect([deleted.status, deleted.text]).toEqual([204, '']);
    expect(asked.get('delete')).toEqual({ organisationId: acme.id, idOrUid: id, expectedVersion: 3n });
  });
});
