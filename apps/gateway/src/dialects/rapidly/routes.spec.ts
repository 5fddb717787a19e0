import { configV1, dispatchV1 } from '@posthorn/contracts';
import { DomainError, type Endpoint } from '@posthorn/models';
import { acme, globex, tokens, type FakeHandlers } from '../../testing/fake-services.harness.ts';
import { sampleAttempt, sampleEndpoint, sampleTime } from '../../testing/sample-messages.harness.ts';
import { startTestGateway, type TestGateway } from '../../testing/test-gateway.harness.ts';

const id = '01890000-0000-4000-8000-0000000000e1';
const eventId = '01890000-0000-4000-8000-0000000000d1';
const secretText = 'rapidly_whs_ovyN6cPrTv56AApvzCaJno08SSmGJmgbWilb33N2JuK';
const secret: configV1.Secret = {
  scheme: configV1.SignatureScheme.SIGNATURE_SCHEME_TEXT,
  secret: secretText,
  publicKey: undefined,
  createdAt: sampleTime,
  expiresAt: undefined,
};
const endpoint = (changes: Partial<Endpoint> = {}): configV1.Endpoint =>
  sampleEndpoint({ dialect: 'rapidly', format: 'raw', eventTypes: ['share.created'], ...changes });
const shown = {
  created_at: '2026-01-31T12:00:00.000Z',
  modified_at: null,
  id,
  url: 'https://example.com/hooks',
  format: 'raw',
  secret: secretText,
  workspace_id: acme.id,
  events: ['share.created'],
  enabled: true,
};

function attemptItem(
  attempt: Partial<dispatchV1.Attempt> = {},
  delivery: Partial<dispatchV1.Delivery> = {},
  archived = false,
): dispatchV1.FoundAttempt {
  const lastAttempt = { ...sampleAttempt(), ...attempt };
  return dispatchV1.FoundAttempt.fromPartial({
    attempt: lastAttempt,
    delivery: {
      delivery: {
        id: eventId,
        organisationId: acme.id,
        eventId: 'e',
        eventType: 'share.created',
        endpointId: id,
        state: dispatchV1.DeliveryState.DELIVERY_STATE_SUCCEEDED,
        attempts: 1,
        createdAt: sampleTime,
        lastAttempt,
        ...delivery,
      },
      ...(!archived && {
        event: { id: 'e', type: 'share.created' },
        body: Buffer.from('{"type":"share.created"}'),
      }),
    },
  });
}

let test: TestGateway | undefined;
const asked: { name: string; request: unknown }[] = [];
afterEach(async () => {
  await test?.gateway.stop(1000);
  test = undefined;
  asked.length = 0;
});

async function start(handlers: FakeHandlers = {}, total = 1): Promise<TestGateway> {
  const noted =
    <Q, R>(name: string, answer: (request: Q) => R) =>
    (request: Q): Promise<R> => {
      asked.push({ name, request });
      return Promise.resolve(answer(request));
    };
  test = await startTestGateway({
    handlers: {
      endpoints: {
        searchEndpoints: noted(
          'searchEndpoints',
          ({ ids, organisationIds }: configV1.SearchEndpointsRequest) => {
            const hidden =
              (ids.length > 0 && !ids.includes(id)) ||
              (organisationIds.length > 0 && !organisationIds.includes(acme.id));
            return hidden
              ? { endpoints: [], total: 0n, hasMore: false }
              : {
                  endpoints: [{ endpoint: endpoint(), secrets: [secret] }],
                  total: BigInt(total),
                  hasMore: false,
                };
          },
        ),
        createEndpoint: noted('createEndpoint', () => ({ endpoint: endpoint(), secrets: [secret] })),
        updateEndpoint: noted('updateEndpoint', () => ({
          endpoint: endpoint({ updatedAt: new Date('2026-02-01T00:00:00Z') }),
          secrets: [secret],
        })),
        rotateSecret: noted('rotateSecret', () => ({ secrets: [secret] })),
        deleteEndpoint: noted('deleteEndpoint', () => ({})),
        ...handlers.endpoints,
      },
      deliveries: {
        searchAttempts: noted('searchAttempts', () => ({ items: [attemptItem()], total: BigInt(total) })),
        searchDeliveries: noted('searchDeliveries', ({ ids }: dispatchV1.SearchDeliveriesRequest) =>
          ids.includes(eventId)
            ? { items: [attemptItem().delivery ?? fail()], total: 1n, hasMore: false }
            : { items: [], total: 0n, hasMore: false },
        ),
        retryDelivery: noted('retryDelivery', () => ({ delivery: attemptItem().delivery?.delivery })),
        ...handlers.deliveries,
      },
    },
  });
  return test;
}

function fail(): never {
  throw new Error('There is nothing here.');
}

const newEndpoint = { url: 'https://example.com/hooks', format: 'raw', events: ['share.created'] };
const problem = (loc: readonly (string | number)[], msg: string, type: string, input: unknown): object => ({
  loc,
  msg,
  type,
  input,
});
const refused = (...detail: readonly object[]): object => ({ error: 'RequestValidationError', detail });

describe('the list of endpoints', () => {
  it('is {data,meta}, each with its secret', async () => {
    const { call } = await start();
    const { status, body } = await call('GET', '/api/webhooks/endpoints');
    expect([status, body]).toEqual([
      200,
      { data: [shown], meta: { total: 1, page: 1, per_page: 10, pages: 1 } },
    ]);
    expect(asked.at(-1)?.request).toMatchObject({
      organisationIds: [acme.id],
      dialect: 4,
      descending: true,
      limit: 10,
      includeSecrets: true,
    });
  });

  it('has pages of 10 by default, clamped at 100', async () => {
    const { call } = await start({}, 25);
    expect((await call('GET', '/api/webhooks/endpoints?page=2')).body).toMatchObject({
      meta: { total: 25, page: 2, per_page: 10, pages: 3 },
    });
    expect(asked.at(-1)?.request).toMatchObject({ offset: 10, limit: 10 });
    expect((await call('GET', '/api/webhooks/endpoints?limit=5000')).body).toMatchObject({
      meta: { per_page: 100 },
    });
  });

  it('is empty past the end, with total 0 and pages 0', async () => {
    const { call } = await start({
      endpoints: { searchEndpoints: () => Promise.resolve({ endpoints: [], total: 25n, hasMore: false }) },
    });
    expect((await call('GET', '/api/webhooks/endpoints?page=4')).body).toEqual({
      data: [],
      meta: { total: 0, page: 4, per_page: 10, pages: 0 },
    });
  });

  it('refuses a page or a limit of zero or less, or that is no number, both at once', async () => {
    const { call } = await start();
    expect(await call('GET', '/api/webhooks/endpoints?page=0&limit=-1')).toMatchObject({
      status: 422,
      body: refused(
        problem(['query', 'page'], 'Input should be greater than 0', 'greater_than', '0'),
        problem(['query', 'limit'], 'Input should be greater than 0', 'greater_than', '-1'),
      ),
    });
    expect(await call('GET', '/api/webhooks/endpoints?page=&limit=x')).toMatchObject({
      status: 422,
      body: {
        detail: [
          { loc: ['query', 'page'], type: 'int_parsing' },
          { loc: ['query', 'limit'], type: 'int_parsing' },
        ],
      },
    });
  });

  it('is of any of the workspaces that are named and that the token may see', async () => {
    const { call } = await start();
    await call('GET', `/api/webhooks/endpoints?workspace_id=${globex.id}&workspace_id=${acme.id}`);
    expect(asked.at(-1)?.request).toMatchObject({ organisationIds: [acme.id] });
    asked.length = 0;
    expect((await call('GET', `/api/webhooks/endpoints?workspace_id=${globex.id}`)).body).toMatchObject({
      data: [],
    });
    expect(asked).toEqual([]);
    const both = `/api/webhooks/endpoints?workspace_id=${globex.id}&workspace_id=${acme.id}`;
    await call('GET', both, { token: tokens.operator });
    expect(asked.at(-1)?.request).toMatchObject({ organisationIds: [globex.id, acme.id] });
    await call('GET', '/api/webhooks/endpoints', { token: tokens.operator });
    expect(asked.at(-1)?.request).toMatchObject({ organisationIds: [] });
  });

  it('refuses a workspace id that is no UUID', async () => {
    const { call } = await start();
    const { status, body } = await call(
      'GET',
      `/api/webhooks/endpoints?workspace_id=${acme.id}&workspace_id=x`,
    );
    expect(status).toBe(422);
    expect(body).toMatchObject({
      detail: [{ loc: ['query', 'workspace_id', 1], type: 'uuid_parsing', input: 'x' }],
    });
  });

  it('shows the dialect’s own events for patterns that the native API gave', async () => {
    const { call } = await start({
      endpoints: {
        searchEndpoints: () =>
          Promise.resolve({
            endpoints: [{ endpoint: endpoint({ eventTypes: ['share.*', 'order.paid'] }), secrets: [secret] }],
            total: 1n,
            hasMore: false,
          }),
      },
    });
    expect((await call('GET', `/api/webhooks/endpoints/${id}`)).body).toMatchObject({
      events: ['share.created', 'share.updated', 'order.paid'],
    });
  });
});

describe('creating an endpoint', () => {
  it('answers 201 with all its fields', async () => {
    const { call } = await start();
    const { status, body } = await call('POST', '/api/webhooks/endpoints', {
      body: { ...newEndpoint, secret: null, workspace_id: null },
    });
    expect([status, body]).toEqual([201, shown]);
    expect(asked.at(-1)?.request).toMatchObject({
      endpoint: { organisationId: acme.id, dialect: 4, format: 2, eventTypes: { values: ['share.created'] } },
      secret: undefined,
    });
  });

  it('takes the owner’s secret of any form, and each format', async () => {
    const { call } = await start();
    for (const [format, message] of [
      ['raw', 2],
      ['discord', 4],
      ['slack', 5],
    ] as const) {
      await call('POST', '/api/webhooks/endpoints', {
        body: { ...newEndpoint, format, secret: 'x'.repeat(32) },
      });
      expect(asked.at(-1)?.request).toMatchObject({ secret: 'x'.repeat(32), endpoint: { format: message } });
    }
  });

  it('tells everything that is missing at once', async () => {
    const { call } = await start();
    const { status, body } = await call('POST', '/api/webhooks/endpoints', { body: '{"secret":"short"}' });
    const input = { secret: 'short' };
    expect(status).toBe(422);
    expect(body).toEqual(
      refused(
        problem(['body', 'url'], 'Field required', 'missing', input),
        problem(['body', 'secret'], 'String should have at least 32 characters', 'string_too_short', 'short'),
        problem(['body', 'format'], 'Field required', 'missing', input),
        problem(['body', 'events'], 'Field required', 'missing', input),
      ),
    );
  });

  it.each([
    ['url', 'http://example.com', 'url_scheme', "URL scheme should be 'https'"],
    ['url', 'nonsense', 'url_parsing', 'Input should be a valid URL, relative URL without a base'],
    ['url', '', 'url_parsing', 'Input should be a valid URL, input is empty'],
    ['url', 7, 'url_type', 'URL input should be a string or URL'],
    [
      'url',
      `https://example.com/${'x'.repeat(2083)}`,
      'url_too_long',
      'URL should have at most 2083 characters',
    ],
    ['format', 'xml', 'enum', "Input should be 'raw', 'discord' or 'slack'"],
    ['events', 'share.created', 'list_type', 'Input should be a valid list'],
    ['events', [], 'too_short', 'List should have at least 1 item after validation, not 0'],
    ['secret', 7, 'string_type', 'Input should be a valid string'],
    [
      'workspace_id',
      'x',
      'uuid_parsing',
      'Input should be a valid UUID, invalid character: expected an optional prefix of `urn:uuid:` followed by [0-9a-fA-F-], found `x` at 1',
    ],
  ])('refuses %s = %j', async (name, value, type, msg) => {
    const { call } = await start();
    const { status, body } = await call('POST', '/api/webhooks/endpoints', {
      body: JSON.stringify({ ...newEndpoint, [name]: value }),
    });
    expect([status, body]).toEqual([422, refused(problem(['body', name], msg, type, value))]);
  });

  it('says which event is unknown', async () => {
    const { call } = await start();
    const { body } = await call('POST', '/api/webhooks/endpoints', {
      body: JSON.stringify({ ...newEndpoint, events: ['share.created', 'order.paid'] }),
    });
    expect(body).toMatchObject({
      detail: [{ loc: ['body', 'events', 1], type: 'enum', input: 'order.paid' }],
    });
  });

  it('refuses a workspace_id with a workspace token', async () => {
    const { call } = await start();
    const { status, body } = await call('POST', '/api/webhooks/endpoints', {
      body: { ...newEndpoint, workspace_id: acme.id },
    });
    const msg = 'Setting workspace_id is disallowed when using an workspace token.';
    expect([status, body]).toEqual([
      422,
      refused(problem(['body', 'workspace_id'], msg, 'workspace_token', acme.id)),
    ]);
  });

  it('needs a workspace_id with a user token, of a workspace that is there', async () => {
    const { call } = await start();
    const token = tokens.operator;
    const without = await call('POST', '/api/webhooks/endpoints', { body: newEndpoint, token });
    expect(without.body).toEqual(
      refused(problem(['body', 'workspace_id'], 'workspace_id is required.', 'missing', null)),
    );
    const unknown = await call('POST', '/api/webhooks/endpoints', {
      body: { ...newEndpoint, workspace_id: id },
      token,
    });
    expect([unknown.status, unknown.body]).toEqual([
      422,
      refused(problem(['body', 'workspace_id'], 'Workspace not found.', 'value_error', id)),
    ]);
    const known = await call('POST', '/api/webhooks/endpoints', {
      body: { ...newEndpoint, workspace_id: globex.id },
      token,
    });
    expect(known.status).toBe(201);
    expect(asked.at(-1)?.request).toMatchObject({ endpoint: { organisationId: globex.id } });
  });

  it('tells what config refuses with what was sent', async () => {
    const violations = [{ field: '/url', code: 'blocked', message: 'this address is not public.' }];
    const { call } = await start({
      endpoints: { createEndpoint: () => Promise.reject(DomainError.invalid(violations)) },
    });
    const { status, body } = await call('POST', '/api/webhooks/endpoints', { body: newEndpoint });
    expect([status, body]).toEqual([
      422,
      refused(
        problem(['body', 'url'], 'Value error, this address is not public.', 'value_error', newEndpoint.url),
      ),
    ]);
  });

  it.each(['{', '{"url":1,}', ''])('refuses a body that is not JSON, or none: %j', async (body) => {
    const { call } = await start();
    const answer = await call('POST', '/api/webhooks/endpoints', body === '' ? {} : { body });
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({
      detail: [
        body === ''
          ? { loc: ['body'], type: 'missing' }
          : { type: 'json_invalid', msg: 'JSON decode error', input: {} },
      ],
    });
  });
});

describe('one endpoint', () => {
  it('is shown with its secret', async () => {
    const { call } = await start();
    expect((await call('GET', `/api/webhooks/endpoints/${id}`)).body).toEqual(shown);
  });

  it('is not found under an unknown id, and refused under one that is no UUID', async () => {
    const { call } = await start();
    const unknown = await call('GET', `/api/webhooks/endpoints/${eventId}`);
    expect([unknown.status, unknown.text]).toEqual([
      404,
      '{"error":"ResourceNotFound","detail":"Not found"}',
    ]);
    const malformed = await call('GET', '/api/webhooks/endpoints/abc');
    expect([malformed.status, malformed.body]).toMatchObject([
      422,
      { detail: [{ loc: ['path', 'id'], type: 'uuid_parsing', input: 'abc' }] },
    ]);
  });

  it('is changed by PATCH; absent and null leave a field as it is', async () => {
    const { call } = await start();
    const body = { url: null, secret: 'y'.repeat(32), format: 'slack', events: null, enabled: false };
    const { status, body: answer } = await call('PATCH', `/api/webhooks/endpoints/${id}`, { body });
    expect([status, answer]).toMatchObject([200, { modified_at: '2026-02-01T00:00:00.000Z' }]);
    expect(asked.at(-1)?.request).toMatchObject({
      organisationId: acme.id,
      updateMask: ['format', 'state'],
      secret: 'y'.repeat(32),
      endpoint: { format: 5, state: 3 },
    });
    asked.length = 0;
    expect((await call('PATCH', `/api/webhooks/endpoints/${id}`, { body: {} })).body).toEqual(shown);
    expect(asked.map(({ name }) => name)).toEqual(['searchEndpoints']);
  });

  it('is deleted with 204 and nothing', async () => {
    const { call } = await start();
    const { status, text } = await call('DELETE', `/api/webhooks/endpoints/${id}`);
    expect([status, text]).toEqual([204, '']);
    expect(asked.at(-1)).toMatchObject({
      name: 'deleteEndpoint',
      request: { organisationId: acme.id, idOrUid: id },
    });
  });

  it('gets a new secret without overlap', async () => {
    const { call } = await start();
    expect((await call('PATCH', `/api/webhooks/endpoints/${id}/secret`)).body).toEqual(shown);
    expect(asked.find(({ name }) => name === 'rotateSecret')?.request).toMatchObject({ overlapMs: 0n });
  });
});

describe('the list of deliveries', () => {
  const event = {
    created_at: '2026-01-31T12:00:00.000Z',
    modified_at: null,
    id: eventId,
    last_http_code: 204,
    succeeded: true,
    skipped: false,
    payload: '{"type":"share.created"}',
    type: 'share.created',
    is_archived: false,
  };

  it('is of all attempts, each with its event', async () => {
    const { call } = await start();
    const { body } = await call('GET', '/api/webhooks/deliveries');
    expect(body).toEqual({
      data: [
        {
          created_at: '2026-01-31T12:00:00.000Z',
          modified_at: null,
          id: sampleAttempt().id,
          succeeded: true,
          http_code: 204,
          response: '',
          webhook_event: event,
        },
      ],
      meta: { total: 1, page: 1, per_page: 10, pages: 1 },
    });
    const searches = asked.filter(({ name }) => name === 'searchAttempts');
    expect(searches[0]?.request).toMatchObject({ organisationIds: [acme.id], endpointIds: [id] });
  });

  it('passes every filter on', async () => {
    const { call } = await start();
    const filters = [
      `endpoint_id=${id}&endpoint_id=${eventId}`,
      'start_timestamp=2026-01-01T00:00:00Z&end_timestamp=2026-01-02T00:00:00%2B01:00',
      'succeeded=false&query=50%25_&http_code_class=5xx&event_type=share.created&event_type=share.updated&page=2&limit=20',
    ];
    const { status } = await call('GET', `/api/webhooks/deliveries?${filters.join('&')}`);
    expect(status).toBe(200);
    expect(asked.find(({ name }) => name === 'searchEndpoints')?.request).toMatchObject({
      ids: [id, eventId],
    });
    expect(asked.find(({ name }) => name === 'searchAttempts')?.request).toMatchObject({
      endpointIds: [id],
      startedAfter: new Date('2026-01-01T00:00:00Z'),
      startedBefore: new Date('2026-01-01T23:00:00Z'),
      succeeded: false,
      query: '50%_',
      statusClass: 5,
      eventTypes: ['share.created', 'share.updated'],
      offset: 20,
      limit: 20,
    });
  });

  it('tells every filter that is wrong at once', async () => {
    const { call } = await start();
    const path = `/api/webhooks/deliveries?endpoint_id=x&start_timestamp=2026-01-01T00:00:00&end_timestamp=soon&succeeded=perhaps&http_code_class=1xx&event_type=order.paid&page=0&limit=x`;
    const { status, body } = await call('GET', path);
    expect(status).toBe(422);
    expect(
      (body as { detail: { loc: unknown; type: string }[] }).detail.map(({ loc, type }) => [loc, type]),
    ).toEqual([
      [['query', 'endpoint_id', 0], 'uuid_parsing'],
      [['query', 'start_timestamp'], 'timezone_aware'],
      [['query', 'end_timestamp'], 'datetime_from_date_parsing'],
      [['query', 'succeeded'], 'bool_parsing'],
      [['query', 'http_code_class'], 'enum'],
      [['query', 'event_type', 0], 'enum'],
      [['query', 'page'], 'greater_than'],
      [['query', 'limit'], 'int_parsing'],
    ]);
  });

  it('has nothing where none of the endpoints is the dialect’s', async () => {
    const { call } = await start();
    expect((await call('GET', `/api/webhooks/deliveries?endpoint_id=${eventId}`)).body).toMatchObject({
      data: [],
    });
    expect(asked.map(({ name }) => name)).not.toContain('searchAttempts');
  });

  const { AttemptOutcome, DeliveryState } = dispatchV1;
  async function first(item: dispatchV1.FoundAttempt): Promise<object> {
    const { call, gateway } = await start({
      deliveries: {
        searchAttempts: () => Promise.resolve({ items: [item], total: 1n }),
        searchDeliveries: () =>
          Promise.resolve({ items: [item.delivery ?? fail()], total: 1n, hasMore: false }),
      },
    });
    const { body } = await call('GET', '/api/webhooks/deliveries');
    await gateway.stop(1000);
    return (body as { data: object[] }).data[0] ?? fail();
  }

  it('shows the first 2048 characters of a response, or the error where there was none', async () => {
    const response = { headers: {}, body: 'ü'.repeat(3000), truncated: true };
    expect(await first(attemptItem({ response }))).toMatchObject({ response: 'ü'.repeat(2048) });
    const outcome = AttemptOutcome.ATTEMPT_OUTCOME_REFUSED;
    expect(
      await first(
        attemptItem({ outcome, status: undefined, response: undefined, error: 'connection refused' }),
      ),
    ).toMatchObject({
      succeeded: false,
      http_code: null,
      response: 'connection refused',
    });
  });

  it.each([AttemptOutcome.ATTEMPT_OUTCOME_BLOCKED, AttemptOutcome.ATTEMPT_OUTCOME_DNS])(
    'says of an address that may not be reached, or a name that fails (outcome %s), one and the same',
    async (outcome) => {
      const item = attemptItem(
        { outcome, status: undefined, response: undefined, error: '10.0.0.1 is blocked' },
        { state: DeliveryState.DELIVERY_STATE_FAILED },
      );
      expect(await first(item)).toMatchObject({
        http_code: null,
        response: 'URL resolves to a private/internal IP address',
        webhook_event: { succeeded: false, last_http_code: null },
      });
    },
  );

  it.each([
    [DeliveryState.DELIVERY_STATE_PENDING, null],
    [DeliveryState.DELIVERY_STATE_RETRYING, null],
    [DeliveryState.DELIVERY_STATE_HELD, null],
    [DeliveryState.DELIVERY_STATE_EXHAUSTED, false],
    [DeliveryState.DELIVERY_STATE_FAILED, false],
    [DeliveryState.DELIVERY_STATE_SUCCEEDED, true],
  ])('shows an event in state %s with succeeded %s', async (state, succeeded) => {
    expect(await first(attemptItem({}, { state }))).toMatchObject({
      webhook_event: { succeeded, skipped: false },
    });
  });

  it('shows an event that was skipped, and one that is archived', async () => {
    const state = DeliveryState.DELIVERY_STATE_HELD;
    expect(await first(attemptItem({}, { state, reason: 'endpoint_disabled' }))).toMatchObject({
      webhook_event: { skipped: true },
    });
    expect(await first(attemptItem({}, {}, true))).toMatchObject({
      webhook_event: { payload: null, is_archived: true },
    });
  });
});

describe('redelivering', () => {
  const path = `/api/webhooks/events/${eventId}/redeliver`;

  it('answers 202 with an empty object, also of an event that had succeeded', async () => {
    const { call } = await start();
    const { status, text } = await call('POST', path);
    expect([status, text]).toEqual([202, '{}']);
    expect(asked.at(-1)).toMatchObject({
      name: 'retryDelivery',
      request: { organisationId: acme.id, id: eventId, skipWhenDisabled: true },
    });
  });

  it('sends nothing of an archived event', async () => {
    const item = attemptItem({}, {}, true).delivery ?? fail();
    const { call } = await start({
      deliveries: { searchDeliveries: () => Promise.resolve({ items: [item], total: 1n, hasMore: false }) },
    });
    expect((await call('POST', path)).status).toBe(202);
    expect(asked.map(({ name }) => name)).not.toContain('retryDelivery');
  });

  it('finds no unknown event, none of another dialect, and none under an id that is no UUID', async () => {
    const { call } = await start();
    expect((await call('POST', `/api/webhooks/events/${id}/redeliver`)).status).toBe(404);
    expect((await call('POST', '/api/webhooks/events/x/redeliver')).status).toBe(422);
    await test?.gateway.stop(1000);
    const { call: other } = await start({
      endpoints: { searchEndpoints: () => Promise.resolve({ endpoints: [], total: 0n, hasMore: false }) },
    });
    expect((await other('POST', path)).status).toBe(404);
    expect(asked.map(({ name }) => name)).not.toContain('retryDelivery');
  });
});

describe('errors', () => {
  it('of no token and of a bad one differ, with their challenges', async () => {
    const { fetch } = await start();
    const none = await fetch('/api/webhooks/endpoints');
    expect([none.status, none.text]).toEqual([401, '{"error":"Unauthorized","detail":"Unauthorized"}']);
    expect(none.headers.get('www-authenticate')).toBe('Bearer realm="rapidly"');
    const bad = await fetch('/api/webhooks/endpoints', { headers: { Authorization: 'Bearer nonsense' } });
    const description =
      'The access token provided is expired, revoked, malformed, or invalid for other reasons.';
    expect([bad.status, bad.text]).toEqual([
      401,
      JSON.stringify({ error: 'invalid_token', error_description: description }),
    ]);
    expect(bad.headers.get('www-authenticate')).toBe(
      `Bearer realm="rapidly", error="invalid_token", error_description="${description}"`,
    );
  });

  it('of a scope that is missing name it', async () => {
    const { call } = await start();
    const description = 'The request requires higher privileges than provided by the access token.';
    const answer = await call('POST', '/api/webhooks/endpoints', { token: tokens.reader, body: newEndpoint });
    expect([answer.status, answer.text]).toEqual([
      403,
      JSON.stringify({ error: 'insufficient_scope', error_description: description }),
    ]);
    expect(answer.headers.get('www-authenticate')).toContain('scope="webhooks:write"');
    const read = await call('GET', '/api/webhooks/endpoints', { token: tokens.publisher });
    expect(read.headers.get('www-authenticate')).toContain('scope="webhooks:read"');
  });

  it('of a route have a bare detail', async () => {
    const { call } = await start();
    const unknown = await call('GET', '/api/webhooks/nothing');
    expect([unknown.status, unknown.text]).toEqual([404, '{"detail":"Not Found"}']);
    const method = await call('PUT', `/api/webhooks/endpoints/${id}`);
    expect([method.status, method.text]).toEqual([405, '{"detail":"Method Not Allowed"}']);
    expect(method.headers.get('allow')).toBe('GET, PATCH, DELETE');
  });

  it('of what is away, or of a limit, say how long to wait', async () => {
    const fails = (error: DomainError) => (): Promise<never> => Promise.reject(error);
    const away = await start({
      endpoints: { searchEndpoints: fails(new DomainError('unavailable', 'It is away.')) },
    });
    const answer = await away.call('GET', '/api/webhooks/endpoints');
    expect([answer.status, answer.body]).toMatchObject([503, { error: 'ServiceUnavailable' }]);
    expect(answer.headers.get('retry-after')).toBe('1');
    await away.gateway.stop(1000);
    const limit = new DomainError('rate_limited', 'Slow down.', { retryAfterMs: 2000 });
    const limited = await start({ endpoints: { searchEndpoints: fails(limit) } });
    const second = await limited.call('GET', '/api/webhooks/endpoints');
    expect([second.status, second.body]).toMatchObject([429, { error: 'TooManyRequests' }]);
    expect(second.headers.get('retry-after')).toBe('2');
  });
});
