/** xurrent's management half against its contract: each test is named after the line that it proves. */
import { configV1, policyAlgorithmTable, policyToMessage } from '@posthorn/contracts';
import { DomainError, policyKeyTypes, type Policy } from '@posthorn/models';
import { systemClock } from '@posthorn/runtime';
import type { DocumentedAnswer } from '../../testing/documented-fetch.harness.ts';
import { acme, globex, tokens } from '../../testing/fake-services.harness.ts';
import { startTestGateway, type CallInit, type TestGateway } from '../../testing/test-gateway.harness.ts';

const createdAt = new Date('2015-09-10T17:15:16.789Z');
const pem = '-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n';

let policies: Policy[] = [];
let running: TestGateway;
let nowMs = Date.parse('2026-01-31T12:00:00.500Z');

beforeAll(async () => {
  running = await startTestGateway({
    clock: { ...systemClock, now: () => nowMs },
    handlers: {
      organisations: {
        getOrganisation: async ({ idOrSlug }) => {
          const known = [acme, globex].find(({ id, slug }) => id === idOrSlug || slug === idOrSlug);
          if (known === undefined) throw new DomainError('not_found', 'There is no such organisation.');
          const timeZone = known === acme ? 'America/Chicago' : 'UTC';
          return { organisation: configV1.Organisation.fromPartial({ ...known, timeZone }) };
        },
        listOrganisations: async ({ cursor }) => ({
          organisations: [configV1.Organisation.fromPartial(cursor === '' ? acme : globex)],
          nextCursor: cursor === '' ? 'more' : '',
        }),
      },
      policies: { createPolicy, getPolicy, listPolicies, updatePolicy },
    },
  });
});
afterAll(() => running.gateway.stop(1_000));
beforeEach(() => {
  policies = [];
  nowMs += 3_600_000;
});

function add(given: Partial<Policy> = {}): Policy {
  const number = policies.length + 301;
  const policy: Policy = {
    id: `id-${number}`,
    number,
    organisationId: acme.id,
    name: `${number}a5394ff9262be392926386113d684915ed1a956910902c29d0baf00`.padEnd(56, 'A').slice(0, 56),
    algorithm: 'rs256',
    audience: null,
    expiresInMinutes: null,
    publicKeyPem: pem,
    disabled: false,
    createdAt,
    updatedAt: createdAt,
    ...given,
  };
  policies.push(policy);
  return policy;
}

/** By its number or its id, as config finds it. */
function at(organisationId: string, idOrNumber: string): Policy {
  const found = policies.find(
    (one) => one.organisationId === organisationId && [one.id, String(one.number)].includes(idOrNumber),
  );
  if (found === undefined) throw new DomainError('not_found', 'There is no such policy.');
  return found;
}

async function createPolicy({
  policy,
}: configV1.CreatePolicyRequest): Promise<configV1.CreatePolicyResponse> {
  const algorithm = policyAlgorithmTable.fromMessage(policy?.algorithm ?? 0, '/algorithm');
  const type = policyKeyTypes[algorithm];
  const made = add({
    organisationId: policy?.organisationId ?? '',
    algorithm,
    audience: policy?.audience ?? null,
    expiresInMinutes: policy?.expiresInMinutes ?? null,
    disabled: policy?.disabled ?? false,
    publicKeyPem: type === 'secret' || type === 'none' ? null : pem,
  });
  return { policy: policyToMessage(made), sharedSecret: type === 'secret' ? 's'.repeat(64) : undefined };
}

async function getPolicy(request: configV1.GetPolicyRequest): Promise<configV1.GetPolicyResponse> {
  return { policy: policyToMessage(at(request.organisationId, request.idOrNumber)) };
}

async function listPolicies({
  organisationId,
}: configV1.ListPoliciesRequest): Promise<configV1.ListPoliciesResponse> {
  const own = policies.filter((policy) => policy.organisationId === organisationId);
  return { policies: own.map(policyToMessage), nextCursor: '' };
}

async function updatePolicy(request: configV1.UpdatePolicyRequest): Promise<configV1.UpdatePolicyResponse> {
  const present = at(request.organisationId, request.idOrNumber);
  const { policy, updateMask = [] } = request;
  const algorithm = updateMask.includes('algorithm')
    ? policyAlgorithmTable.fromMessage(policy?.algorithm ?? 0, '/algorithm')
    : present.algorithm;
  if (policyKeyTypes[algorithm] !== policyKeyTypes[present.algorithm])
    throw DomainError.invalid([
      { field: '/algorithm', code: 'key_type_fixed', message: 'The key stays what it is.' },
    ]);
  const changed: Policy = {
    ...present,
    algorithm,
    ...(updateMask.includes('audience') && { audience: policy?.audience ?? null }),
    ...(updateMask.includes('expires_in_minutes') && { expiresInMinutes: policy?.expiresInMinutes ?? null }),
    ...(updateMask.includes('disabled') && { disabled: policy?.disabled ?? false }),
    ...(updateMask.length > 0 && { updatedAt: new Date('2015-09-14T17:31:27Z') }),
  };
  policies = policies.map((one) => (one === present ? changed : one));
  return { policy: policyToMessage(changed) };
}

const call = (method: string, path: string, init: CallInit = {}): Promise<DocumentedAnswer> =>
  running.call(method, path, init);
const messageOf = ({ status, body }: DocumentedAnswer): unknown => [
  status,
  (body as { message?: unknown }).message,
];
const idsOf = ({ body }: DocumentedAnswer): unknown => (body as { id: number }[]).map(({ id }) => id);
const linksOf = ({ headers }: DocumentedAnswer): Record<string, string> =>
  Object.fromEntries(
    [...(headers.get('link') ?? '').matchAll(/<([^>]*)>; rel="(\w+)"/g)].map(
      ([, url = '', relation = '']) => [relation, url],
    ),
  );

describe.each(['', '/v1'])('below the base path "%s"', (base) => {
  test('GET /webhook_policies is a bare array of id, name, created_at, updated_at, oldest first', async () => {
    const first = add();
    const second = add({ disabled: true, createdAt: new Date(createdAt.getTime() + 1_000) });
    const answer = await call('GET', `${base}/webhook_policies`);
    const shown = (policy: Policy, time: string): unknown => ({
      id: policy.number,
      name: policy.name,
      created_at: time,
      updated_at: '2015-09-10T12:15:16-05:00',
    });
    expect(answer.text).toBe(
      JSON.stringify([shown(first, '2015-09-10T12:15:16-05:00'), shown(second, '2015-09-10T12:15:17-05:00')]),
    );
  });

  test.each(['', '/', '.json'])('the path of one may end in "%s"', async (end) => {
    const { number } = add();
    expect((await call('GET', `${base}/webhook_policies/${number}${end}`)).status).toBe(200);
    expect((await call('GET', `${base}/webhook_policies${end}`)).status).toBe(200);
    expect((await call('POST', `${base}/webhook_policies${end}`, { body: { jwt_alg: 'none' } })).status).toBe(
      201,
    );
  });
});

test('GET /webhook_policies/{id} shows every field in order, nulls included, without public_key_pem', async () => {
  const { number, name } = add();
  expect((await call('GET', `/webhook_policies/${number}`)).text).toBe(
    JSON.stringify({
      id: number,
      name,
      disabled: false,
      created_at: '2015-09-10T12:15:16-05:00',
      updated_at: '2015-09-10T12:15:16-05:00',
      jwt_alg: 'rs256',
      jwt_audience: null,
      jwt_claim_expires_in: null,
    }),
  );
});

test('times have the offset of the organisation: UTC is +00:00', async () => {
  const { number } = add({ organisationId: globex.id });
  const answer = await call('GET', `/webhook_policies/${number}`, {
    token: tokens.operator,
    headers: { 'X-4me-Account': 'globex' },
  });
  expect(answer.body).toMatchObject({ created_at: '2015-09-10T17:15:16+00:00' });
});

describe('POST /webhook_policies', () => {
  test('201 with every field and public_key_pem behind them', async () => {
    const answer = await call('POST', '/webhook_policies', {
      body: {
        jwt_alg: 'rs256',
        jwt_audience: 'some audience',
        jwt_claim_expires_in: 12,
        disabled: true,
        name: 'mine',
        id: 1,
      },
    });
    expect(answer.status).toBe(201);
    expect(answer.text).toBe(
      JSON.stringify({
        id: 301,
        name: policies[0]?.name,
        disabled: true,
        created_at: '2015-09-10T12:15:16-05:00',
        updated_at: '2015-09-10T12:15:16-05:00',
        jwt_alg: 'rs256',
        jwt_audience: 'some audience',
        jwt_claim_expires_in: 12,
        public_key_pem: pem,
      }),
    );
  });

  test.each([
    ['none', null],
    ['hs256', 's'.repeat(64)],
    ['hs384', 's'.repeat(64)],
    ['hs512', 's'.repeat(64)],
    ['rs256', pem],
    ['rs384', pem],
    ['rs512', pem],
    ['es256', pem],
    ['es384', pem],
    ['es512', pem],
  ])('%s shows its key: a PEM, for hs* the shared secret, for none null', async (algorithm, key) => {
    const { status, body } = await call('POST', '/webhook_policies', { body: { jwt_alg: algorithm } });
    expect([status, body]).toMatchObject([201, { jwt_alg: algorithm, public_key_pem: key }]);
  });

  test.each([
    [12, 12],
    ['12', 12],
    ['01:30', 90],
    ['100:00', 6_000],
    [null, null],
    ['', null],
  ])('jwt_claim_expires_in %j is %j minutes', async (given, minutes) => {
    const { body } = await call('POST', '/webhook_policies', {
      body: { jwt_alg: 'none', jwt_claim_expires_in: given },
    });
    expect(body).toMatchObject({ jwt_claim_expires_in: minutes });
  });

  test.each(['1', 'T', 'y', 'true', 'Yes', 'ON', 1, true])('disabled may be said as %j', async (disabled) => {
    const { body } = await call('POST', '/webhook_policies', { body: { jwt_alg: 'none', disabled } });
    expect(body).toMatchObject({ disabled: true });
  });

  test.each([
    [{}, [['jwt_alg', "Jwt alg can't be blank"]]],
    [{ jwt_alg: null }, [['jwt_alg', "Jwt alg can't be blank"]]],
    [{ jwt_alg: 'RS256' }, [['jwt_alg', 'Jwt alg is not included in the list']]],
    [{ jwt_alg: ['rs256'] }, [['jwt_alg', 'Jwt alg is not included in the list']]],
    [{ jwt_alg: 'none', jwt_audience: 1 }, [['jwt_audience', 'Jwt audience is invalid']]],
    [
      { jwt_alg: 'none', jwt_audience: 'é'.repeat(1_025) },
      [['jwt_audience', 'Jwt audience is too long (maximum is 2048 bytes)']],
    ],
    [
      { jwt_alg: 'none', jwt_claim_expires_in: 0 },
      [['jwt_claim_expires_in', 'Jwt claim expires in must be greater than 0']],
    ],
    [
      { jwt_alg: 'none', jwt_claim_expires_in: '00:00' },
      [['jwt_claim_expires_in', 'Jwt claim expires in must be greater than 0']],
    ],
    [
      { jwt_alg: 'none', jwt_claim_expires_in: 1.5 },
      [['jwt_claim_expires_in', 'Jwt claim expires in is not a duration']],
    ],
    [
      { jwt_alg: 'none', jwt_claim_expires_in: '1:60' },
      [['jwt_claim_expires_in', 'Jwt claim expires in is not a duration']],
    ],
    [
      { jwt_alg: 'x', jwt_claim_expires_in: 9_999_999, disabled: {} },
      [
        ['jwt_alg', 'Jwt alg is not included in the list'],
        ['jwt_claim_expires_in', 'Jwt claim expires in must be less than or equal to 5256000'],
        ['disabled', 'Disabled is invalid'],
      ],
    ],
  ])('422 with pairs for %j', async (body, errors) => {
    const answer = await call('POST', '/webhook_policies', { body });
    expect([answer.status, answer.body]).toEqual([422, { message: 'Validation Failed', errors }]);
    expect(policies).toEqual([]);
  });

  test('no body at all is one without fields', async () => {
    expect((await call('POST', '/webhook_policies')).status).toBe(422);
  });

  test.each(['{"jwt_alg":"none",}', '[]', 'null', '"x"', `${'['.repeat(500)}${']'.repeat(500)}`])(
    '400 with a message for the body %s',
    async (body) => {
      const answer = await call('POST', '/webhook_policies', { body });
      expect([answer.status, Object.keys(answer.body as object)]).toEqual([400, ['message']]);
    },
  );

  test('an operator names the account', async () => {
    const operator = { token: tokens.operator, body: { jwt_alg: 'none' } };
    expect((await call('POST', '/webhook_policies', operator)).status).toBe(400);
    const made = await call('POST', '/webhook_policies', {
      ...operator,
      headers: { 'X-Xurrent-Account': 'globex' },
    });
    expect([made.status, policies[0]?.organisationId]).toEqual([201, globex.id]);
  });
});

describe('PATCH /webhook_policies/{id}', () => {
  test.each(['PATCH', 'PUT'])(
    '%s changes what is given, and answers without public_key_pem',
    async (method) => {
      const { number, name } = add({ audience: 'before' });
      const answer = await call(method, `/webhook_policies/${number}`, {
        body: { jwt_claim_expires_in: '00:30' },
      });
      expect([answer.status, answer.body]).toEqual([
        200,
        {
          id: number,
          name,
          disabled: false,
          created_at: '2015-09-10T12:15:16-05:00',
          updated_at: '2015-09-14T12:31:27-05:00',
          jwt_alg: 'rs256',
          jwt_audience: 'before',
          jwt_claim_expires_in: 30,
        },
      ]);
    },
  );

  test('null takes a field away; what can’t be written is ignored; nothing changes nothing', async () => {
    const { number } = add({ audience: 'before', expiresInMinutes: 5 });
    const body = { jwt_audience: null, id: 1, name: 'x', created_at: 'x', public_key_pem: 'x', strange: 1 };
    expect((await call('PATCH', `/webhook_policies/${number}`, { body })).body).toMatchObject({
      id: number,
      jwt_audience: null,
      jwt_claim_expires_in: 5,
    });
    expect((await call('PATCH', `/webhook_policies/${number}`)).status).toBe(200);
  });

  test('jwt_alg may change within the type of key, else 422', async () => {
    const { number } = add();
    expect(
      (await call('PATCH', `/webhook_policies/${number}`, { body: { jwt_alg: 'rs512' } })).body,
    ).toMatchObject({ jwt_alg: 'rs512' });
    const refused = await call('PATCH', `/webhook_policies/${number}`, { body: { jwt_alg: 'es256' } });
    expect([refused.status, refused.body]).toEqual([
      422,
      { message: 'Validation Failed', errors: [['jwt_alg', 'Jwt alg: The key stays what it is.']] },
    ]);
    expect((await call('PATCH', `/webhook_policies/${number}`, { body: { jwt_alg: null } })).status).toBe(
      422,
    );
  });
});

describe('404 {"message":"Not Found"}', () => {
  test.each([
    ['DELETE', '/webhook_policies/301'],
    ['DELETE', '/v1/webhook_policies/301'],
    ['DELETE', '/webhook_policies'],
    ['PATCH', '/webhook_policies'],
    ['PUT', '/webhook_policies/enabled'],
    ['POST', '/webhook_policies/301'],
    ['OPTIONS', '/webhook_policies'],
    ['GET', '/webhook_policies/301/x'],
    ['GET', '/webhook_policies//301'],
    ['GET', '/webhook_policies/%zz'],
    ['GET', '/webhook_policies/x'],
    ['GET', '/webhook_policies/-1'],
    ['GET', '/webhook_policies/999'],
    ['GET', '/webhook_policies/id-301'],
    ['GET', '/webhook_policies/999999999999999999999'],
    ['GET', `/webhook_policies/${'1'.repeat(5_000)}`],
  ])('%s %s', async (method, path) => {
    add();
    const answer = await running.fetch(path, { method, headers: { Authorization: `Bearer ${tokens.acme}` } });
    expect([answer.status, answer.body]).toEqual([404, { message: 'Not Found' }]);
  });

  test('another’s policy', async () => {
    const { number } = add({ organisationId: globex.id });
    for (const method of ['GET', 'PATCH', 'PUT'])
      expect(
        messageOf(await call(method, `/webhook_policies/${number}`, method === 'GET' ? {} : { body: {} })),
      ).toEqual([404, 'Not Found']);
  });
});

describe('who asks', () => {
  test('Basic with the key as the user', async () => {
    expect((await call('GET', '/webhook_policies', { scheme: 'Basic' })).status).toBe(200);
  });

  test.each([
    ['no credentials', {}],
    ['an unknown key', { Authorization: 'Bearer nobody' }],
    ['the scheme of another dialect', { Authorization: `Token ${tokens.acme}` }],
    ['Basic without a user', { Authorization: `Basic ${Buffer.from(':x').toString('base64')}` }],
    ['Basic that isn’t base64', { Authorization: 'Basic %%%' }],
    ['another’s account', { Authorization: `Bearer ${tokens.acme}`, 'X-4me-Account': 'globex' }],
    ['an unknown account', { Authorization: `Bearer ${tokens.acme}`, 'X-Xurrent-Account': 'nobody' }],
    [
      'two accounts',
      { Authorization: `Bearer ${tokens.operator}`, 'X-4me-Account': 'acme', 'X-Xurrent-Account': 'globex' },
    ],
    ['an account that can’t be one', { Authorization: `Bearer ${tokens.acme}`, 'X-4me-Account': '../x' }],
  ])('401 {"message":"Unauthorized"} for %s', async (_, headers) => {
    const answer = await running.fetch('/webhook_policies', { headers });
    expect([answer.status, answer.text]).toEqual([401, '{"message":"Unauthorized"}']);
  });

  test.each(['X-4me-Account', 'X-Xurrent-Account'])(
    'the key’s own account may be named in %s',
    async (header) => {
      expect((await call('GET', '/webhook_policies', { headers: { [header]: 'acme' } })).status).toBe(200);
    },
  );

  test('403 {"message":"Forbidden"} without the scope', async () => {
    expect(messageOf(await call('POST', '/webhook_policies', { token: tokens.reader, body: {} }))).toEqual([
      403,
      'Forbidden',
    ]);
    expect(messageOf(await call('GET', '/webhook_policies', { token: tokens.publisher }))).toEqual([
      403,
      'Forbidden',
    ]);
  });

  test('an operator who names no account sees all, and reads any', async () => {
    add();
    const { number } = add({ organisationId: globex.id });
    const operator = { token: tokens.operator };
    const all = await call('GET', '/webhook_policies?fields=created_at', operator);
    expect(all.body).toEqual([
      { id: 301, created_at: '2015-09-10T12:15:16-05:00' },
      { id: 302, created_at: '2015-09-10T17:15:16+00:00' },
    ]);
    expect((await call('GET', `/webhook_policies/${number}`, operator)).status).toBe(200);
    expect(
      (await call('PATCH', `/webhook_policies/${number}`, { ...operator, body: { disabled: true } })).status,
    ).toBe(200);
    expect((await call('GET', '/webhook_policies/999', operator)).status).toBe(404);
  });
});

describe('collections', () => {
  test.each([
    ['/webhook_policies/enabled', [301]],
    ['/webhook_policies/disabled', [302]],
    ['/webhook_policies?state=enabled', [301]],
    ['/webhook_policies?state=disabled', [302]],
    ['/v1/webhook_policies/disabled.json', [302]],
    ['/webhook_policies?state=', [301, 302]],
  ])('%s lists %j', async (path, ids) => {
    add();
    add({ disabled: true });
    expect(idsOf(await call('GET', path))).toEqual(ids);
  });

  test('fields=disabled,jwt_alg: the id always comes too, in the order of a single object', async () => {
    add();
    expect((await call('GET', '/webhook_policies?fields=jwt_alg,disabled')).text).toBe(
      '[{"id":301,"disabled":false,"jwt_alg":"rs256"}]',
    );
    expect((await call('GET', '/webhook_policies?fields=')).text).toContain('"created_at"');
  });

  test.each([
    ['sort=created_at', [301, 302, 303]],
    ['sort=-created_at', [303, 302, 301]],
    ['sort=updated_at', [302, 303, 301]],
    ['sort=-updated_at,created_at', [301, 302, 303]],
    ['sort=-updated_at,-created_at', [301, 303, 302]],
    ['sort=', [301, 302, 303]],
  ])('%s lists %j', async (query, ids) => {
    const later = (seconds: number): Date => new Date(createdAt.getTime() + seconds * 1_000);
    add({ createdAt: later(0), updatedAt: later(50) });
    add({ createdAt: later(1), updatedAt: later(10) });
    add({ createdAt: later(2), updatedAt: later(10) });
    expect(idsOf(await call('GET', `/webhook_policies?${query}`))).toEqual(ids);
  });

  test.each([
    ['fields=strange', 'Unknown fields: strange'],
    ['fields=id,odd,strange', 'Unknown fields: odd, strange'],
    ['fields=public_key_pem', 'Unknown fields: public_key_pem'],
    ['sort=name', 'Sorting not allowed on fields: name'],
    ['sort=-created_at,-id', 'Sorting not allowed on fields: id'],
    ['per_page=-10', "Parameter 'per_page' cannot be less than 1"],
    ['per_page=0', "Parameter 'per_page' cannot be less than 1"],
    ['per_page=x', "Parameter 'per_page' cannot be less than 1"],
    ['search_after=x', "Parameter 'search_after' is not valid"],
    ['search_before=', "Parameter 'search_before' is not valid"],
    ['state=strange', 'Unknown state: strange'],
    ['disabled=>true', "Field 'disabled' does not support the '=>' operator"],
    ['name=a,b', "Cannot apply the '=' operator to a set of values for field 'name'"],
    ['disabled=true,false', "Cannot filter on a set of values for field 'disabled'"],
    ['jwt_alg=rs256', 'Filtering not allowed on fields: jwt_alg'],
  ])('400 for ?%s', async (query, message) => {
    expect((await call('GET', `/webhook_policies?${query}`)).body).toEqual({ message });
  });

  test('filters come percent-encoded, the ! as the last character of the name included', async () => {
    add();
    add({ updatedAt: new Date('2016-01-01T00:00:00Z') });
    expect(
      idsOf(await call('GET', '/webhook_policies?updated_at=%3E2011-12-16T12%3A24%3A41%2B01%3A00')),
    ).toEqual([301, 302]);
    expect(
      idsOf(await call('GET', '/webhook_policies?updated_at=%3E2015-12-16T12%3A24%3A41%2B01%3A00')),
    ).toEqual([302]);
    expect(idsOf(await call('GET', '/webhook_policies?id%21=301'))).toEqual([302]);
    expect(idsOf(await call('GET', '/webhook_policies?strange=1&page=7'))).toEqual([301, 302]);
  });
});

describe('paging', () => {
  const pageHeadersOf = ({ headers }: DocumentedAnswer): unknown =>
    ['Per-Page', 'Current-Page', 'Total-Pages', 'Total-Entries'].map((name) =>
      Number(headers.get(`X-Pagination-${name}`)),
    );

  test('20 by default, and more than 100 is 100', async () => {
    for (let count = 0; count < 101; count++) add();
    const standard = await call('GET', '/webhook_policies');
    expect([(standard.body as unknown[]).length, pageHeadersOf(standard)]).toEqual([20, [20, 1, 6, 101]]);
    for (const perPage of ['101', '99999999999999999999'])
      expect(pageHeadersOf(await call('GET', `/webhook_policies?per_page=${perPage}`))).toEqual([
        100, 1, 2, 101,
      ]);
  });

  test('links lead forth and back through every page; none says first or prev on the first, next on the last', async () => {
    for (let count = 0; count < 5; count++) add();
    const pages: unknown[] = [];
    let path = '/v1/webhook_policies?per_page=2&fields=name&id=%3E0';
    let previous: string | undefined;
    for (;;) {
      const answer = await call('GET', path);
      const { first, prev, next } = linksOf(answer);
      pages.push([
        idsOf(answer),
        pageHeadersOf(answer),
        first !== undefined,
        prev !== undefined,
        next !== undefined,
      ]);
      previous = prev;
      if (next === undefined) break;
      expect(
        next.startsWith(
          `${running.address}/v1/webhook_policies?per_page=2&fields=name&id=%3E0&search_after=`,
        ),
      ).toBe(true);
      path = next.slice(running.address.length);
    }
    expect(pages).toEqual([
      [[301, 302], [2, 1, 3, 5], false, false, true],
      [[303, 304], [2, 2, 3, 5], true, true, true],
      [[305], [2, 3, 3, 5], true, true, false],
    ]);
    const back = await call('GET', previous?.slice(running.address.length) ?? '');
    expect([idsOf(back), pageHeadersOf(back)]).toEqual([
      [303, 304],
      [2, 2, 3, 5],
    ]);
    const { first = '' } = linksOf(back);
    expect(idsOf(await call('GET', first.slice(running.address.length)))).toEqual([301, 302]);
  });

  test('a cursor stays good while policies come, and is refused for another order', async () => {
    for (let count = 0; count < 3; count++) add();
    const { next = '' } = linksOf(await call('GET', '/webhook_policies?per_page=2'));
    policies.unshift({ ...add(), number: 7, createdAt: new Date(createdAt.getTime() - 1_000) });
    policies.pop();
    const path = next.slice(running.address.length);
    expect(idsOf(await call('GET', path))).toEqual([303]);
    expect(messageOf(await call('GET', `${path}&sort=-created_at`))).toEqual([
      400,
      "Parameter 'search_after' is not valid",
    ]);
  });

  test('nothing at all is one empty page', async () => {
    const answer = await call('GET', '/webhook_policies');
    expect([answer.text, pageHeadersOf(answer), answer.headers.get('link')]).toEqual([
      '[]',
      [20, 1, 1, 0],
      null,
    ]);
  });
});

describe('ETag and If-None-Match', () => {
  test.each(['/webhook_policies/301', '/webhook_policies', '/webhook_policies/enabled'])(
    '%s answers 304 while it is the same',
    async (path) => {
      add();
      const etag = (await call('GET', path)).headers.get('etag') ?? '';
      expect(etag).toMatch(/^"[\w-]+"$/);
      for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
        const same = await call('GET', path, { headers: { 'If-None-Match': known } });
        expect([same.status, same.text, same.headers.get('etag')]).toEqual([304, '', etag]);
      }
      await call('PATCH', '/webhook_policies/301', { body: { jwt_audience: 'x' } });
      expect((await call('GET', path, { headers: { 'If-None-Match': etag } })).status).toBe(200);
    },
  );
});

test('X-RateLimit-* on every answer, per key and rolling hour', async () => {
  const limitsOf = ({ headers }: DocumentedAnswer): unknown =>
    ['Limit', 'Remaining', 'Reset'].map((name) => Number(headers.get(`X-RateLimit-${name}`)));
  const nowSeconds = Math.floor(nowMs / 1_000);
  expect(limitsOf(await call('GET', '/webhook_policies'))).toEqual([3_600, 3_599, nowSeconds + 3_600]);
  nowMs += 1_800_000;
  expect(limitsOf(await call('GET', '/webhook_policies/1'))).toEqual([3_600, 3_598, nowSeconds + 3_600]);
  nowMs += 1_800_000;
  expect(limitsOf(await call('POST', '/webhook_policies', { body: {} }))).toEqual([
    3_600,
    3_598,
    nowSeconds + 5_400,
  ]);
  expect(limitsOf(await running.fetch('/webhook_policies/x'))).toEqual([3_600, 3_600, nowSeconds + 7_200]);
});
