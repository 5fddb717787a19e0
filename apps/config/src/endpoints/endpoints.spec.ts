import { configV1 } from '@posthorn/contracts';
import { defaultRetryDelaysMs } from '@posthorn/models';
import { operator, service, tenant, useHarness, violatedFields } from '../config.harness.ts';
import { maskedValue } from './endpoint-secrets.ts';

const { ENDPOINT_STATE_DISABLED, ENDPOINT_STATE_ENABLED, ENDPOINT_STATE_PAUSED } = configV1.EndpointState;
const { SIGNATURE_SCHEME_V1, SIGNATURE_SCHEME_V1A } = configV1.SignatureScheme;
const bothSchemes = [SIGNATURE_SCHEME_V1, SIGNATURE_SCHEME_V1A];
const givenSecret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
/** Values of a newer version of the contract, as they come over the wire. */
const unknownFormat = Number(99) as configV1.EndpointFormat;
const unknownScheme = Number(98) as configV1.SignatureScheme;

type Given = Partial<configV1.Endpoint>;

describe('EndpointService', () => {
  const harness = useHarness({
    limits: { endpoints: 3 },
    names: { 'public.example': 'public', 'inside.example': 'private' },
  });
  let organisationId: string;

  beforeEach(async () => {
    organisationId = await harness().organisation('acme');
  });

  const as = () => ({ principal: tenant(organisationId) });
  const create = (over: Given = {}, rest: { secret?: string; given?: string[] } = {}) => {
    const endpoint = configV1.Endpoint.fromPartial({ organisationId, url: 'https://receiver.example' });
    const request = { endpoint: { ...endpoint, ...over }, secret: rest.secret, given: rest.given };
    return harness().endpoints.createEndpoint(request, as());
  };
  const update = (
    idOrUid: string,
    over: Given,
    updateMask: string[] | undefined,
    expectedVersion?: bigint,
  ) => {
    const endpoint = { ...configV1.Endpoint.fromPartial({}), ...over };
    return harness().endpoints.updateEndpoint(
      { organisationId, idOrUid, endpoint, updateMask, expectedVersion },
      as(),
    );
  };
  const get = async (idOrUid: string): Promise<configV1.Endpoint | undefined> =>
    (await harness().endpoints.getEndpoint({ organisationId, idOrUid }, as())).endpoint;
  const secretsOf = async (idOrUid: string): Promise<configV1.Secret[]> =>
    (await harness().endpoints.listSecrets({ organisationId, idOrUid }, as())).secrets;
  const signing = async (): Promise<configV1.SigningEndpoint[]> => {
    const request = { organisationId, cursor: '', omitEndpoints: false };
    return (await harness().directory.getOrganisationView(request, { principal: service })).endpoints;
  };
  const revision = async (): Promise<bigint> =>
    (await harness().directory.listChanges({ sinceRevision: 0n }, { principal: service })).revision;

  describe('creating', () => {
    it('gives defaults to whatever was not said, a number, and a secret that is shown', async () => {
      const { endpoint, secrets } = await create();
      expect(endpoint).toMatchObject({
        number: 1n,
        url: 'https://receiver.example',
        state: ENDPOINT_STATE_ENABLED,
        format: configV1.EndpointFormat.ENDPOINT_FORMAT_STANDARD,
        signing: [SIGNATURE_SCHEME_V1],
        timeoutMs: 15_000,
        retryDelaysMs: defaultRetryDelaysMs.map(BigInt),
        maxInFlight: 100,
        ordering: configV1.EndpointOrdering.ENDPOINT_ORDERING_NONE,
        onExhausted: configV1.OnExhausted.ON_EXHAUSTED_SKIP,
        version: 1n,
        createdAt: new Date(harness().clock.now()),
      });
      expect(endpoint?.eventTypes).toBeUndefined();
      expect(secrets).toMatchObject([{ scheme: SIGNATURE_SCHEME_V1 }]);
      expect(secrets[0]?.secret).toMatch(/^whsec_/);
      expect(await get(endpoint?.id ?? '')).toEqual(endpoint);
      expect(await secretsOf(endpoint?.id ?? '')).toEqual(secrets);
    });

    it('keeps everything as it was given', async () => {
      const given: Given = {
        uid: 'mine',
        name: 'Mine',
        description: 'two\nlines',
        eventTypes: { values: ['order.*', 'posthorn.*'] },
        labels: { anyOf: { region: { values: ['eu', 'us'] } } },
        filterJson: '{"amount":{"$gt":10}}',
        format: configV1.EndpointFormat.ENDPOINT_FORMAT_CLOUDEVENTS,
        signing: bothSchemes,
        timeoutMs: 5000,
        retryDelaysMs: [1000n, 2000n],
        maxInFlight: 3,
        rateLimit: { perSecond: 2.5, burst: 7 },
        ordering: configV1.EndpointOrdering.ENDPOINT_ORDERING_KEY,
        onExhausted: configV1.OnExhausted.ON_EXHAUSTED_HOLD,
        metadata: { owner: 'team-a' },
      };
      const { endpoint } = await create(given);
      expect(endpoint).toMatchObject(given);
      expect(await get('mine')).toEqual(endpoint);
    });

    it('tells no retries from the default schedule by the fields that were given', async () => {
      expect((await create({}, { given: ['retry_delays_ms'] })).endpoint?.retryDelaysMs).toEqual([]);
    });

    it("takes the owner's secret, and makes a key pair beside it for v1a", async () => {
      const { secrets } = await create({ signing: bothSchemes }, { secret: givenSecret });
      expect(secrets).toMatchObject([
        { scheme: SIGNATURE_SCHEME_V1, secret: givenSecret },
        { scheme: SIGNATURE_SCHEME_V1A },
      ]);
      expect(secrets[1]?.secret).toMatch(/^whsk_/);
      expect(secrets[1]?.publicKey).toMatch(/^whpk_/);
    });

    it('reports everything that is wrong at once', async () => {
      const wrong: Given = {
        url: 'ftp://receiver.example',
        uid: 'no good uid',
        eventTypes: { values: ['order.*', 'not ok'] },
        filterJson: '{"$nonsense":1}',
        headers: { Host: 'x', Authorization: maskedValue },
        timeoutMs: 1,
      };
      expect(await violatedFields(create(wrong, { secret: 'whsec_short' }))).toEqual([
        '/eventTypes/1',
        '/filter/$nonsense',
        '/headers/Authorization',
        '/headers/Host',
        '/secret',
        '/timeoutMs',
        '/uid',
        '/url',
      ]);
    });

    it('refuses unknown formats and schemes beside everything else', async () => {
      const wrong: Given = { format: unknownFormat, signing: [unknownScheme], url: '' };
      expect(await violatedFields(create(wrong))).toEqual(['/format', '/signing/0', '/url']);
    });

    it.each([
      'http://127.0.0.1/',
      'http://[::1]/',
      'http://10.0.0.1/',
      'http://localhost/',
      'http://a.localhost/',
    ])('refuses %s, which is not public', async (url) => {
      await expect(create({ url })).rejects.toMatchObject({
        violations: [{ field: '/url', code: 'address_not_public' }],
      });
      expect(harness().lookups).toEqual([]);
    });

    it('refuses a name that resolves to an address that is not public', async () => {
      await expect(create({ url: 'https://inside.example/hook' })).rejects.toMatchObject({
        code: 'invalid_argument',
        violations: [{ field: '/url', code: 'address_not_public' }],
      });
    });

    it('accepts a name that resolves to a public address, and one that does not resolve yet', async () => {
      await create({ url: 'http://public.example/hook' });
      await create({ url: 'https://unknown.example/hook' });
      expect(harness().lookups).toEqual(['public.example', 'unknown.example']);
    });

    it('refuses a URL with credentials', async () => {
      await expect(create({ url: 'https://user:password@public.example/' })).rejects.toMatchObject({
        violations: [{ field: '/url', code: 'credentials_not_allowed' }],
      });
    });

    it('refuses a uid that is taken, and one endpoint more than there may be', async () => {
      await create({ uid: 'mine' });
      await expect(create({ uid: 'mine' })).rejects.toMatchObject({
        code: 'already_exists',
        violations: [{ field: '/uid' }],
      });
      await create();
      await create();
      await expect(create()).rejects.toMatchObject({ code: 'failed_precondition' });
    });

    it('refuses settings that are too large together, at create and at update', async () => {
      const metadata = Object.fromEntries(
        Array.from({ length: 50 }, (_, index) => [`key-${index}`, 'x'.repeat(500)]),
      );
      const headers = (count: number) =>
        Object.fromEntries(
          Array.from({ length: count }, (_, index) => [`X-Header-${index}`, 'x'.repeat(4096)]),
        );
      expect(await violatedFields(create({ metadata, headers: headers(10) }))).toEqual(['']);
      await create({ uid: 'mine', metadata, headers: headers(9) });
      expect(await violatedFields(update('mine', { headers: headers(10) }, ['headers']))).toEqual(['']);
    });

    it('answers a request without an endpoint like one for an unknown organisation', async () => {
      const request = { endpoint: undefined, secret: undefined, given: undefined };
      await expect(
        harness().endpoints.createEndpoint(request, { principal: operator }),
      ).rejects.toMatchObject({
        code: 'not_found',
      });
    });
  });

  describe('with a state of the owner’s choice', () => {
    it('is created disabled, by hand', async () => {
      const { endpoint } = await create({ state: ENDPOINT_STATE_DISABLED });
      expect(endpoint).toMatchObject({ state: ENDPOINT_STATE_DISABLED, stateReason: 'manual', version: 1n });
    });

    it('is disabled and enabled by the same update as its settings', async () => {
      await create({ uid: 'mine' });
      const mask = ['state', 'name'];
      const disabled = await update('mine', { state: ENDPOINT_STATE_DISABLED, name: 'off' }, mask);
      expect(disabled.endpoint).toMatchObject({
        state: ENDPOINT_STATE_DISABLED,
        stateReason: 'manual',
        name: 'off',
      });
      const enabled = await update('mine', { state: ENDPOINT_STATE_ENABLED, name: 'on' }, mask);
      expect(enabled.endpoint).toMatchObject({ state: ENDPOINT_STATE_ENABLED, name: 'on', version: 3n });
      expect(enabled.endpoint?.stateReason).toBeUndefined();
    });

    it('keeps the reason of one that is disabled already', async () => {
      await create({ uid: 'mine' });
      const state = ENDPOINT_STATE_DISABLED;
      const request = { organisationId, idOrUid: 'mine', state, reason: 'gone', expectedVersion: undefined };
      await harness().endpoints.setEndpointState(request, as());
      expect((await update('mine', { state }, ['state'])).endpoint).toMatchObject({ stateReason: 'gone' });
    });
  });

  describe('listing', () => {
    it('shows newest first, page after page, and by state', async () => {
      for (const uid of ['a', 'b', 'c']) await create({ uid });
      await harness().endpoints.setEndpointState(
        {
          organisationId,
          idOrUid: 'b',
          state: ENDPOINT_STATE_PAUSED,
          reason: '',
          expectedVersion: undefined,
        },
        as(),
      );
      const list = (limit: number, cursor: string, state: configV1.EndpointState = 0) =>
        harness().endpoints.listEndpoints({ organisationId, limit, cursor, state }, as());
      const first = await list(2, '');
      const second = await list(2, first.nextCursor);
      expect([...first.endpoints, ...second.endpoints].map(({ uid }) => uid)).toEqual(['c', 'b', 'a']);
      expect(second.nextCursor).toBe('');
      expect((await list(0, '', ENDPOINT_STATE_PAUSED)).endpoints.map(({ uid }) => uid)).toEqual(['b']);
      await expect(list(251, '')).rejects.toMatchObject({ code: 'invalid_argument' });
    });
  });

  describe('updating', () => {
    it('changes the fields that the mask names, clears those that are empty, and counts a version', async () => {
      const { endpoint } = await create({ uid: 'mine', name: 'kept', description: 'old', timeoutMs: 5000 });
      harness().clock.advance(1000);
      const changes = { description: 'new', name: 'ignored' };
      const updated = await update('mine', changes, ['description', 'timeout_ms', 'event_types']);
      expect(updated.endpoint).toEqual({
        ...endpoint,
        description: 'new',
        timeoutMs: 15_000,
        version: 2n,
        updatedAt: new Date(harness().clock.now()),
      });
      expect((await update('mine', {}, ['uid', 'retry_delays_ms'])).endpoint).toMatchObject({
        uid: undefined,
        retryDelaysMs: [],
        version: 3n,
      });
    });

    it('counts no version when nothing was written', async () => {
      await create({ uid: 'mine' });
      const before = await get('mine');
      await update('mine', {}, []);
      expect(await get('mine')).toEqual(before);
    });

    it('refuses a version that is no longer the current one, and changes nothing', async () => {
      await create({ uid: 'mine' });
      await update('mine', { name: 'first' }, ['name'], 1n);
      await expect(update('mine', { name: 'second' }, ['name'], 1n)).rejects.toMatchObject({
        code: 'version_conflict',
      });
      expect((await get('mine'))?.name).toBe('first');
    });

    it('loses none of many changes that are made at once', async () => {
      await create({ uid: 'mine' });
      const fields = ['name', 'description', 'max_in_flight', 'timeout_ms'];
      const changes = { name: 'n', description: 'd', maxInFlight: 7, timeoutMs: 7000 };
      await Promise.all(fields.map((field) => update('mine', changes, [field])));
      expect(await get('mine')).toMatchObject({ ...changes, version: 5n });
    });

    it('lets exactly one of many writers that have seen the same version through', async () => {
      await create({ uid: 'mine' });
      const writes = ['a', 'b', 'c'].map((name) => update('mine', { name }, ['name'], 1n));
      const results = await Promise.allSettled(writes);
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });

    it('judges a new URL, and not again one that stays', async () => {
      await create({ uid: 'mine', url: 'https://public.example/' });
      const lookups = harness().lookups.length;
      await update('mine', { url: 'https://public.example/' }, ['url']);
      expect(harness().lookups).toHaveLength(lookups);
      await expect(update('mine', { url: 'https://inside.example/' }, ['url'])).rejects.toMatchObject({
        violations: [{ field: '/url' }],
      });
    });

    it('judges only the fields that the mask names', async () => {
      await create({ uid: 'mine' });
      const wrong: Given = { name: 'fine', url: 'nonsense', format: unknownFormat };
      await update('mine', wrong, ['name']);
      await expect(update('mine', wrong, ['format'])).rejects.toMatchObject({
        violations: [{ field: '/format' }],
      });
    });

    it.each([[undefined], [['id']], [['version']], [['state_reason']], [['headers.a']]])(
      'refuses the mask %j',
      async (mask) => {
        await create({ uid: 'mine' });
        await expect(update('mine', {}, mask)).rejects.toMatchObject({ code: 'invalid_argument' });
      },
    );
  });

  describe('setting the state', () => {
    const setState = (
      state: configV1.EndpointState,
      { reason = '', principal = as().principal, expectedVersion = undefined as bigint | undefined } = {},
    ) =>
      harness().endpoints.setEndpointState(
        { organisationId, idOrUid: 'mine', state, reason, expectedVersion },
        { principal },
      );

    beforeEach(() => create({ uid: 'mine' }));

    it('keeps the reason while it is paused or disabled, and clears it with enabling', async () => {
      const paused = await setState(ENDPOINT_STATE_PAUSED);
      expect(paused.endpoint).toMatchObject({ stateReason: 'manual', version: 2n });
      const disabled = await setState(ENDPOINT_STATE_DISABLED, { reason: 'broken' });
      expect(disabled.endpoint).toMatchObject({ state: ENDPOINT_STATE_DISABLED, stateReason: 'broken' });
      const enabled = await setState(ENDPOINT_STATE_ENABLED, { reason: 'never kept' });
      expect(enabled.endpoint?.stateReason).toBeUndefined();
      expect(await get('mine')).toEqual(enabled.endpoint);
    });

    it('changes nothing when the endpoint has that state already', async () => {
      const first = await setState(ENDPOINT_STATE_PAUSED, { reason: 'one' });
      const before = await revision();
      expect(await setState(ENDPOINT_STATE_PAUSED, { reason: 'two' })).toEqual(first);
      expect(await revision()).toBe(before);
    });

    it("leaves the owner's version alone when one of our services does it", async () => {
      const { endpoint } = await setState(ENDPOINT_STATE_DISABLED, { reason: 'gone', principal: service });
      expect(endpoint).toMatchObject({ stateReason: 'gone', version: 1n });
      await update('mine', { name: 'n' }, ['name'], 1n);
      expect(await get('mine')).toMatchObject({ state: ENDPOINT_STATE_DISABLED, name: 'n' });
    });

    it('does not disable what its owner has changed since', async () => {
      await update('mine', { url: 'https://public.example/' }, ['url']);
      const late = setState(ENDPOINT_STATE_DISABLED, { principal: service, expectedVersion: 1n });
      await expect(late).rejects.toMatchObject({ code: 'version_conflict' });
      expect((await get('mine'))?.state).toBe(ENDPOINT_STATE_ENABLED);
    });

    it('refuses an unspecified state and a reason that is too long', async () => {
      await expect(setState(0)).rejects.toMatchObject({ violations: [{ field: '/state' }] });
      await expect(setState(ENDPOINT_STATE_PAUSED, { reason: 'x'.repeat(201) })).rejects.toMatchObject({
        violations: [{ field: '/reason' }],
      });
    });
  });

  describe('deleting', () => {
    it('deletes once, and only the version that was seen', async () => {
      await create({ uid: 'mine' });
      await update('mine', { name: 'n' }, ['name']);
      const remove = (expectedVersion?: bigint) =>
        harness().endpoints.deleteEndpoint({ organisationId, idOrUid: 'mine', expectedVersion }, as());
      await expect(remove(1n)).rejects.toMatchObject({ code: 'version_conflict' });
      await remove(2n);
      await expect(remove()).rejects.toMatchObject({ code: 'not_found' });
      await expect(get('mine')).rejects.toMatchObject({ code: 'not_found' });
      expect(await signing()).toEqual([]);
    });
  });
});
