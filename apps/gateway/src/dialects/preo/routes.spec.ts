import { configV1, dispatchV1 } from '@posthorn/contracts';
import { DomainError } from '@posthorn/models';
import { acme, globex, tokens, type FakeHandlers } from '../../testing/fake-services.harness.ts';
import { sampleAttempt, sampleEndpoint, sampleTime } from '../../testing/sample-messages.harness.ts';
import { startTestGateway, type TestGateway } from '../../testing/test-gateway.harness.ts';

const id = '01890000-0000-4000-8000-0000000000e1';
const deliveryId = '01890000-0000-4000-8000-0000000000d1';
const edition = '01890000-0000-4000-8000-0000000000ed';
const preo = sampleEndpoint({
  dialect: 'preo',
  format: 'preo',
  name: 'Orders',
  eventTypes: ['order.paid'],
  timeoutMs: 30_000,
});
const shown = {
  id,
  organization_id: acme.id,
  name: 'Orders',
  url: 'https://example.com/hooks',
  edition_id: null,
  events: ['order.paid'],
  created: '2026-01-31T12:00:00.000000Z',
  modified: '2026-01-31T12:00:00.000000Z',
  is_active: true,
  timeout_seconds: 30,
  secret: null,
};
const time = sampleTime;
const secret = {
  scheme: configV1.SignatureScheme.SIGNATURE_SCHEME_TEXT,
  secret: 'a-secret-of-32-characters-or-more',
  publicKey: undefined,
  createdAt: time,
  expiresAt: undefined,
};

function deliveryItem(changes: Partial<dispatchV1.Delivery> = {}): dispatchV1.FoundDelivery {
  return dispatchV1.FoundDelivery.fromPartial({
    delivery: {
      id: deliveryId,
      organisationId: acme.id,
      eventId: 'e',
      eventType: 'order.paid',
      endpointId: id,
      state: dispatchV1.DeliveryState.DELIVERY_STATE_EXHAUSTED,
      attempts: 6,
      createdAt: time,
      finishedAt: time,
      lastAttempt: { ...sampleAttempt(), status: 500, signature: 'abc123' },
      ...changes,
    },
    body: Buffer.from('{"event":"order.paid","data":{"n":1.0}}'),
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
        searchEndpoints: noted('searchEndpoints', (request: configV1.SearchEndpointsRequest) => {
          const hidden =
            (request.ids.length > 0 && !request.ids.includes(id)) ||
            (request.organisationIds.length > 0 && !request.organisationIds.includes(acme.id));
          return hidden
            ? { endpoints: [], total: 0n, hasMore: false }
            : { endpoints: [{ endpoint: preo, secrets: [] }], total: BigInt(total), hasMore: false };
        }),
        createEndpoint: noted('createEndpoint', () => ({ endpoint: preo, secrets: [secret] })),
        updateEndpoint: noted('updateEndpoint', () => ({ endpoint: preo, secrets: [] })),
        rotateSecret: noted('rotateSecret', () => ({ secrets: [secret] })),
        ...handlers.endpoints,
      },
      deliveries: {
        searchDeliveries: noted('searchDeliveries', (request: dispatchV1.SearchDeliveriesRequest) =>
          request.ids.length > 0 && !request.ids.includes(deliveryId)
            ? { items: [], total: 0n, hasMore: false }
            : { items: [deliveryItem()], total: BigInt(total), hasMore: false },
        ),
        retryDelivery: noted('retryDelivery', () => ({ delivery: deliveryItem().delivery })),
        ...handlers.deliveries,
      },
    },
  });
  return test;
}

const newEndpoint = {
  organization_id: acme.id,
  name: 'Orders',
  url: 'https://example.com/hooks',
  events: ['order.paid'],
};

describe('the list of endpoints', () => {
  it('is a page {count,next,previous,results}, each with its fields in the order of the contract and no secret', async () => {
    const { call } = await start();
    for (const path of ['/webhook-endpoints/', '/webhook-endpoints', '/api/management/webhook-endpoints/']) {
      const { status, text } = await call('GET', path);
      expect(status).toBe(200);
      expect(text).toBe(JSON.stringify({ count: 1, next: null, previous: null, results: [shown] }));
    }
  });

  it('shows page_size 100 by default, 1000 at most, and takes a size that is none for the default', async () => {
    const { call } = await start();
    for (const [size, limit] of [
      ['', 100],
      ['5000', 1000],
      ['0', 100],
      ['x', 100],
      ['7', 7],
    ] as const) {
      await call('GET', `/webhook-endpoints/?page_size=${size}`);
      expect(asked.at(-1)?.request).toMatchObject({ limit, offset: 0 });
    }
  });

  it('links absolutely to its neighbours, keeps the other parameters, and names no page 1', async () => {
    const { call, address } = await start({}, 25);
    const path = '/webhook-endpoints/?page_size=10&is_active=true&ordering=-name';
    const first = await call('GET', path);
    expect(first.body).toMatchObject({ count: 25, next: `${address}${path}&page=2`, previous: null });
    const second = await call('GET', `${path}&page=2`);
    expect(second.body).toMatchObject({ next: `${address}${path}&page=3`, previous: `${address}${path}` });
    const last = await call('GET', `${path}&page=3`);
    expect(last.body).toMatchObject({ next: null, previous: `${address}${path}&page=2` });
  });

  it.each(['4', '0', '-1', 'x', '99999999999', '1.5'])(
    'answers page %s, which is not there, with "Invalid page."',
    async (page) => {
      const { call } = await start({}, 25);
      const answer = await call('GET', `/webhook-endpoints/?page_size=10&page=${page}`);
      expect([answer.status, answer.text]).toEqual([404, '{"detail":"Invalid page."}']);
    },
  );

  it('is sorted as ordering says, newest first without it', async () => {
    const { call } = await start();
    const order = async (query: string): Promise<unknown> => {
      await call('GET', `/webhook-endpoints/?${query}`);
      return asked.at(-1)?.request;
    };
    const { ENDPOINT_ORDER_CREATED, ENDPOINT_ORDER_MODIFIED, ENDPOINT_ORDER_NAME } = configV1.EndpointOrder;
    expect(await order('')).toMatchObject({ orderBy: ENDPOINT_ORDER_CREATED, descending: true });
    expect(await order('ordering=created')).toMatchObject({
      orderBy: ENDPOINT_ORDER_CREATED,
      descending: false,
    });
    expect(await order('ordering=-modified')).toMatchObject({
      orderBy: ENDPOINT_ORDER_MODIFIED,
      descending: true,
    });
    expect(await order('ordering=name')).toMatchObject({ orderBy: ENDPOINT_ORDER_NAME, descending: false });
  });

  it('refuses another ordering with the choice that it is not', async () => {
    const { call } = await start();
    const { status, text } = await call('GET', '/webhook-endpoints/?ordering=x');
    expect(status).toBe(400);
    expect(text).toBe('{"ordering":["Select a valid choice. x is not one of the available choices."]}');
  });

  it('tells every filter that is wrong at once', async () => {
    const { call } = await start();
    const { status, body } = await call(
      'GET',
      '/webhook-endpoints/?edition_id=1&is_active=maybe&organization_id=%00&ordering=z',
    );
    expect(status).toBe(400);
    expect(Object.keys(body as object).sort()).toEqual([
      'edition_id',
      'is_active',
      'ordering',
      'organization_id',
    ]);
  });

  it('asks only for what the filters name, and takes empty ones for none', async () => {
    const { call } = await start();
    await call('GET', `/webhook-endpoints/?edition_id=${edition}&is_active=False&organization_id=${acme.id}`);
    expect(asked.at(-1)?.request).toMatchObject({
      editionId: edition,
      states: [2, 3],
      organisationIds: [acme.id],
      dialect: 5,
    });
    await call(
      'GET',
      '/webhook-endpoints/?edition_id=&is_active=&organization_id=&ordering=&page=&page_size=',
    );
    expect(asked.at(-1)?.request).toMatchObject({ editionId: undefined, states: [] });
  });

  it('shows a key nothing of another organisation, and an operator all of them', async () => {
    const { call } = await start();
    const other = await call('GET', `/webhook-endpoints/?organization_id=${globex.id}`);
    expect(other.body).toEqual({ count: 0, next: null, previous: null, results: [] });
    expect(asked).toEqual([]);
    await call('GET', '/webhook-endpoints/', { token: tokens.operator });
    expect(asked.at(-1)?.request).toMatchObject({ organisationIds: [] });
  });
});

describe('creating an endpoint', () => {
  it('answers 201 with the secret, and gives it 30 s by default', async () => {
    const { call } = await start();
    const { status, body } = await call('POST', '/webhook-endpoints/', { body: newEndpoint });
    expect(status).toBe(201);
    expect(body).toEqual({ ...shown, secret: secret.secret });
    expect(asked.at(-1)?.request).toMatchObject({
      endpoint: {
        organisationId: acme.id,
        dialect: 5,
        name: 'Orders',
        eventTypes: { values: ['order.paid'] },
        timeoutMs: 0,
      },
    });
  });

  it('takes edition_id, is_active and timeout_seconds, as DRF reads them', async () => {
    const { address } = await start();
    const body = {
      ...newEndpoint,
      edition_id: edition.toUpperCase(),
      is_active: 'false',
      timeout_seconds: '60',
      name: '  Orders ',
    };
    // Not as documented, but as DRF takes it.
    const answer = await fetch(`${address}/webhook-endpoints/`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${tokens.acme}` },
      body: JSON.stringify(body),
    });
    expect(answer.status).toBe(201);
    expect(asked.at(-1)?.request).toMatchObject({
      endpoint: { editionId: edition, state: 3, timeoutMs: 60_000, name: 'Orders' },
    });
  });

  it('tells every field that is wrong at once, in DRF’s words', async () => {
    const { call } = await start();
    const refused = async (body: unknown): Promise<unknown> => {
      const answer = await call('POST', '/webhook-endpoints/', { body: JSON.stringify(body) });
      expect(answer.status).toBe(400);
      return answer.body;
    };
    const required = ['This field is required.'];
    expect(await refused({})).toEqual({
      organization_id: required,
      name: required,
      url: required,
      events: required,
    });
    expect(
      await refused({
        organization_id: null,
        name: null,
        url: null,
        events: null,
        is_active: null,
        timeout_seconds: null,
      }),
    ).toEqual(
      Object.fromEntries(
        ['organization_id', 'name', 'url', 'events', 'is_active', 'timeout_seconds'].map((name) => [
          name,
          ['This field may not be null.'],
        ]),
      ),
    );
    expect(
      await refused({
        organization_id: 'x',
        name: '',
        url: 'nonsense',
        events: 'order.paid',
        edition_id: 7,
        is_active: 'maybe',
        timeout_seconds: 61,
      }),
    ).toEqual({
      organization_id: ['Must be a valid UUID.'],
      name: ['This field may not be blank.'],
      url: ['Enter a valid URL.'],
      events: ['Expected a list of items but got type "str".'],
      edition_id: ['Must be a valid UUID.'],
      is_active: ['Must be a valid boolean.'],
      timeout_seconds: ['Ensure this value is less than or equal to 60.'],
    });
    expect(
      await refused({ ...newEndpoint, name: 'x'.repeat(256), events: [], timeout_seconds: '1.5' }),
    ).toEqual({
      name: ['Ensure this field has no more than 255 characters.'],
      events: ['This list may not be empty.'],
      timeout_seconds: ['A valid integer is required.'],
    });
    expect(await refused({ ...newEndpoint, name: [], events: [{}, ''], timeout_seconds: 0 })).toEqual({
      name: ['Not a valid string.'],
      events: ['Not a valid string.', 'This field may not be blank.'],
      timeout_seconds: ['Ensure this value is greater than or equal to 1.'],
    });
    expect(await refused([1])).toEqual({
      non_field_errors: ['Invalid data. Expected a dictionary, but got list.'],
    });
  });

  it('refuses an organisation that the key does not own as one that is not there', async () => {
    const { call } = await start();
    const { status, body } = await call('POST', '/webhook-endpoints/', {
      body: { ...newEndpoint, organization_id: globex.id },
    });
    expect(status).toBe(400);
    expect(body).toEqual({ organization_id: [`Invalid pk "${globex.id}" - object does not exist.`] });
  });

  it('lets an operator name any organisation', async () => {
    const { call } = await start();
    const body = { ...newEndpoint, organization_id: globex.id };
    expect((await call('POST', '/webhook-endpoints/', { body, token: tokens.operator })).status).toBe(201);
    expect(asked.at(-1)?.request).toMatchObject({ endpoint: { organisationId: globex.id } });
  });

  it('tells what config refuses under the name that the client knows', async () => {
    const violations = [
      { field: '/url', code: 'blocked', message: 'This address is not public.' },
      { field: '/eventTypes/0', code: 'pattern', message: 'This is no event type.' },
    ];
    const { call } = await start({
      endpoints: { createEndpoint: () => Promise.reject(DomainError.invalid(violations)) },
    });
    const { status, body } = await call('POST', '/webhook-endpoints/', { body: newEndpoint });
    expect(status).toBe(400);
    expect(body).toEqual({ url: ['This address is not public.'], events: ['This is no event type.'] });
  });

  it.each(['{', '{"name":1,}', '"\ud800'])(
    'answers a body that is not JSON (%j) with a parse error',
    async (body) => {
      const { call } = await start();
      const answer = await call('POST', '/webhook-endpoints/', { body });
      expect(answer.status).toBe(400);
      expect((answer.body as { detail: string }).detail).toMatch(/^JSON parse error - /);
    },
  );
});

describe('one endpoint', () => {
  it('is shown without its secret', async () => {
    const { call } = await start();
    expect((await call('GET', `/webhook-endpoints/${id}/`)).body).toEqual(shown);
  });

  it('is not found under a malformed, an unknown or another tenant’s id', async () => {
    const { call } = await start();
    for (const other of ['x', '%00', deliveryId, `${id}0`, 'a'.repeat(2000)]) {
      const answer = await call('GET', `/webhook-endpoints/${other}/`);
      expect([answer.status, answer.text]).toEqual([404, '{"detail":"Not found."}']);
    }
  });

  it('is changed in part by PATCH, and organization_id and secret are ignored', async () => {
    const { call } = await start();
    const body = { is_active: false, organization_id: globex.id, secret: 'mine', edition_id: null };
    expect((await call('PATCH', `/webhook-endpoints/${id}/`, { body })).status).toBe(200);
    expect(asked.at(-1)).toMatchObject({
      name: 'updateEndpoint',
      request: {
        organisationId: acme.id,
        updateMask: ['edition_id', 'state'],
        endpoint: { state: 3, editionId: undefined },
      },
    });
  });

  it('is left as it is by a PATCH of nothing', async () => {
    const { call } = await start();
    expect((await call('PATCH', `/webhook-endpoints/${id}/`, { body: {} })).body).toEqual(shown);
    expect(asked.map(({ name }) => name)).not.toContain('updateEndpoint');
  });

  it('needs what is required when it is replaced by PUT', async () => {
    const { call } = await start();
    const refused = await call('PUT', `/webhook-endpoints/${id}/`, { body: JSON.stringify({ name: 'x' }) });
    expect(refused.status).toBe(400);
    expect(refused.body).toEqual({ url: ['This field is required.'], events: ['This field is required.'] });
    const { organization_id: _, ...rest } = newEndpoint;
    expect((await call('PUT', `/webhook-endpoints/${id}/`, { body: rest })).status).toBe(200);
  });

  it('is never deleted: 405 with Allow', async () => {
    const { call } = await start();
    const answer = await call('DELETE', `/webhook-endpoints/${id}/`);
    expect([answer.status, answer.text]).toEqual([405, '{"detail":"Method \\"DELETE\\" not allowed."}']);
    expect(answer.headers.get('allow')).toBe('GET, PUT, PATCH');
  });

  it('gets a new secret that signs from then on, without overlap', async () => {
    const { call } = await start();
    const { status, body } = await call('POST', `/webhook-endpoints/${id}/rotate-secret/`);
    expect([status, body]).toEqual([200, { ...shown, secret: secret.secret }]);
    expect(asked.find(({ name }) => name === 'rotateSecret')?.request).toMatchObject({ overlapMs: 0n });
  });
});

describe('deliveries', () => {
  const base = `/webhook-endpoints/${id}/deliveries/`;
  const delivery = {
    id: deliveryId,
    event: 'order.paid',
    created: '2026-01-31T12:00:00.000000Z',
    endpoint_id: id,
    payload: '{"event":"order.paid","data":{"n":1.0}}',
    status: 'exhausted',
    attempts: 6,
    response_status_code: 500,
    last_attempt_at: '2026-01-31T12:00:00.000000Z',
    next_retry_at: null,
    signature: 'abc123',
  };

  it('are a page, each with the very bytes that were sent and the signature', async () => {
    const { call } = await start();
    const { text } = await call('GET', base);
    expect(text).toBe(JSON.stringify({ count: 1, next: null, previous: null, results: [delivery] }));
    expect(asked.at(-2)?.request).toMatchObject({
      organisationIds: [acme.id],
      endpointIds: [id],
      limit: 100,
    });
    expect(asked.at(-1)?.request).toMatchObject({ ids: [deliveryId], includeBody: true });
  });

  it('are shown one by one; another id is not found', async () => {
    const { call } = await start();
    expect((await call('GET', `${base}${deliveryId}/`)).body).toEqual(delivery);
    for (const other of [id, 'x']) expect((await call('GET', `${base}${other}/`)).status).toBe(404);
  });

  it('are sorted by event where ordering says name', async () => {
    const { call } = await start();
    await call('GET', `${base}?ordering=name`);
    expect(asked.at(-2)?.request).toMatchObject({
      orderBy: dispatchV1.DeliveryOrder.DELIVERY_ORDER_EVENT_TYPE,
      descending: false,
    });
  });

  const { DeliveryState } = dispatchV1;
  it.each([
    ['pending', [DeliveryState.DELIVERY_STATE_PENDING, DeliveryState.DELIVERY_STATE_HELD]],
    ['success', [DeliveryState.DELIVERY_STATE_SUCCEEDED]],
    ['failed', [DeliveryState.DELIVERY_STATE_FAILED, DeliveryState.DELIVERY_STATE_CANCELLED]],
    ['retrying', [DeliveryState.DELIVERY_STATE_RETRYING]],
    ['exhausted', [DeliveryState.DELIVERY_STATE_EXHAUSTED]],
  ])('with the status %s are found by their states, and shown with it', async (status, states) => {
    const next = new Date('2026-02-01T00:00:00.500Z');
    for (const state of states) {
      const { call, gateway } = await start({
        deliveries: {
          searchDeliveries: (request) => {
            if (request.ids.length === 0) expect(request.states).toEqual(states);
            return Promise.resolve({
              items: [deliveryItem({ state, nextAttemptAt: next })],
              total: 1n,
              hasMore: false,
            });
          },
        },
      });
      const { body } = await call('GET', `${base}?status=${status}`);
      expect(body).toMatchObject({
        results: [{ status, next_retry_at: status === 'retrying' ? '2026-02-01T00:00:00.500000Z' : null }],
      });
      await gateway.stop(1000);
    }
  });

  it('are none where the endpoint is not as the filters say', async () => {
    const { call } = await start();
    for (const query of ['is_active=false', `edition_id=${edition}`, `organization_id=${globex.id}`]) {
      expect((await call('GET', `${base}?${query}`)).body).toEqual({
        count: 0,
        next: null,
        previous: null,
        results: [],
      });
    }
    expect(asked.map(({ name }) => name)).not.toContain('searchDeliveries');
  });

  it('refuse a status that is none', async () => {
    const { call } = await start();
    const { status, body } = await call('GET', `${base}?status=done`);
    expect([status, body]).toEqual([
      400,
      { status: ['Select a valid choice. done is not one of the available choices.'] },
    ]);
  });

  it('have no signature and no last attempt before the first one', async () => {
    const { call } = await start({
      deliveries: {
        searchDeliveries: () =>
          Promise.resolve({
            items: [
              deliveryItem({
                state: DeliveryState.DELIVERY_STATE_PENDING,
                attempts: 0,
                lastAttempt: undefined,
              }),
            ],
            total: 1n,
            hasMore: false,
          }),
      },
    });
    expect((await call('GET', `${base}${deliveryId}/`)).body).toMatchObject({
      status: 'pending',
      signature: null,
      last_attempt_at: null,
      response_status_code: null,
    });
  });

  it('are retried when they failed or are exhausted, and only then', async () => {
    for (const state of [DeliveryState.DELIVERY_STATE_FAILED, DeliveryState.DELIVERY_STATE_EXHAUSTED]) {
      const { call, gateway } = await start({
        deliveries: {
          searchDeliveries: () =>
            Promise.resolve({ items: [deliveryItem({ state })], total: 1n, hasMore: false }),
        },
      });
      expect((await call('POST', `${base}${deliveryId}/retry/`)).status).toBe(200);
      expect(asked.at(-1)).toMatchObject({
        name: 'retryDelivery',
        request: { organisationId: acme.id, id: deliveryId },
      });
      await gateway.stop(1000);
    }
    asked.length = 0;
    const { call } = await start({
      deliveries: {
        searchDeliveries: () =>
          Promise.resolve({
            items: [deliveryItem({ state: DeliveryState.DELIVERY_STATE_SUCCEEDED })],
            total: 1n,
            hasMore: false,
          }),
      },
    });
    const refused = await call('POST', `${base}${deliveryId}/retry/`);
    expect([refused.status, refused.text]).toEqual([
      400,
      '{"detail":"Only failed deliveries can be retried."}',
    ]);
    expect(asked.map(({ name }) => name)).not.toContain('retryDelivery');
  });
});

describe('errors', () => {
  it('say whether there were no credentials or bad ones', async () => {
    const { address, fetch } = await start();
    expect(address).toBeDefined();
    const none = await fetch('/webhook-endpoints/');
    expect([none.status, none.text]).toEqual([
      401,
      '{"detail":"Authentication credentials were not provided."}',
    ]);
    expect(none.headers.get('www-authenticate')).toBe('Bearer');
    const bad = await fetch('/webhook-endpoints/', { headers: { Authorization: 'Bearer nonsense' } });
    expect([bad.status, bad.text]).toEqual([401, '{"detail":"Invalid token."}']);
  });

  it('of a scope that is missing are 403', async () => {
    const { call } = await start();
    const answer = await call('POST', '/webhook-endpoints/', { token: tokens.reader, body: newEndpoint });
    expect([answer.status, answer.text]).toEqual([
      403,
      '{"detail":"You do not have permission to perform this action."}',
    ]);
  });

  it('of unknown routes are its own too', async () => {
    const { call } = await start();
    for (const path of [
      '/webhook-endpoints/a/b/c/d/',
      '/api/management/',
      '/api/management/nothing/',
      '/webhook-endpoints//',
    ]) {
      const answer = await call('GET', path);
      expect([answer.status, answer.text]).toEqual([404, '{"detail":"Not found."}']);
    }
  });

  it('of a service that is away are 503 with Retry-After', async () => {
    const away = (): Promise<never> => Promise.reject(new DomainError('unavailable', 'It is away.'));
    const { call } = await start({ endpoints: { searchEndpoints: away } });
    const answer = await call('GET', '/webhook-endpoints/');
    expect([answer.status, answer.text]).toEqual([
      503,
      '{"detail":"Service temporarily unavailable, try again later."}',
    ]);
    expect(answer.headers.get('retry-after')).toBe('1');
  });

  it('of a limit say how long to wait', async () => {
    const limited = (): Promise<never> =>
      Promise.reject(new DomainError('rate_limited', 'Slow down.', { retryAfterMs: 29_500 }));
    const { call } = await start({ endpoints: { searchEndpoints: limited } });
    const answer = await call('GET', '/webhook-endpoints/');
    expect([answer.status, answer.text]).toEqual([
      429,
      '{"detail":"Request was throttled. Expected available in 30 seconds."}',
    ]);
    expect(answer.headers.get('retry-after')).toBe('30');
  });
});
