import { configV1 } from '@posthorn/contracts';
import { operator, service, tenant, useHarness, violatedFields } from '../config.harness.ts';

const { DIALECT_STANDARD, DIALECT_RICLOUD, DIALECT_XURRENT, DIALECT_RAPIDLY, DIALECT_PREO } =
  configV1.Dialect;
const { VERIFICATION_NONE, VERIFICATION_PENDING, VERIFICATION_PASSED, VERIFICATION_FAILED } =
  configV1.Verification;
const { ENDPOINT_FORMAT_RAW, ENDPOINT_FORMAT_PREO, ENDPOINT_FORMAT_DISCORD } = configV1.EndpointFormat;
const { SIGNATURE_SCHEME_TEXT } = configV1.SignatureScheme;
const { ENDPOINT_STATE_DISABLED } = configV1.EndpointState;
const dayMs = 86_400_000;

describe('the endpoints of dialects', () => {
  const harness = useHarness();
  let organisationId: string;

  beforeEach(async () => {
    organisationId = await harness().organisation('acme');
  });

  const as = () => ({ principal: tenant(organisationId) });
  const asService = { principal: service };
  const create = (over: Partial<configV1.Endpoint>, secret?: string) =>
    harness().endpoints.createEndpoint(
      {
        endpoint: {
          ...configV1.Endpoint.fromPartial({ organisationId, url: 'https://receiver.example/hook' }),
          ...over,
        },
        secret,
        given: undefined,
      },
      as(),
    );
  const update = (idOrUid: string, rest: Partial<configV1.UpdateEndpointRequest>) =>
    harness().endpoints.updateEndpoint(
      { organisationId, idOrUid, endpoint: undefined, updateMask: [], expectedVersion: undefined, ...rest },
      as(),
    );
  const move = (idOrUid: string, url: string) =>
    update(idOrUid, { endpoint: configV1.Endpoint.fromPartial({ url }), updateMask: ['url'] });
  const get = async (idOrUid: string): Promise<configV1.Endpoint> => {
    const { endpoint } = await harness().endpoints.getEndpoint({ organisationId, idOrUid }, as());
    return endpoint ?? configV1.Endpoint.fromPartial({});
  };
  const signing = async (): Promise<configV1.SigningEndpoint[]> => {
    const request = { organisationId, cursor: '', omitEndpoints: false };
    return (await harness().directory.getOrganisationView(request, asService)).endpoints;
  };
  const complete = (endpoint: configV1.Endpoint, passed: boolean, principal = service) =>
    harness().endpoints.completeVerification(
      { organisationId, endpointId: endpoint.id, verificationId: endpoint.verificationId ?? '', passed },
      { principal },
    );
  const pending = async (limit = 10): Promise<configV1.PendingVerification[]> =>
    (await harness().directory.listPendingVerifications({ limit }, asService)).verifications;

  it('get the defaults of their dialect', async () => {
    const rapidly = await create({ dialect: DIALECT_RAPIDLY });
    expect(rapidly.endpoint).toMatchObject({
      format: ENDPOINT_FORMAT_RAW,
      signing: [],
      timeoutMs: 10_000,
      verification: VERIFICATION_NONE,
    });
    expect(rapidly.endpoint?.retryDelaysMs).toHaveLength(10);
    const preo = await create({ dialect: DIALECT_PREO });
    expect(preo.endpoint).toMatchObject({ format: ENDPOINT_FORMAT_PREO, timeoutMs: 30_000 });
    expect((await create({})).endpoint).toMatchObject({ dialect: DIALECT_STANDARD });
  });

  it('keep them when a change leaves a field to its default', async () => {
    await create({ uid: 'mine', dialect: DIALECT_PREO, timeoutMs: 5000 });
    const endpoint = configV1.Endpoint.fromPartial({});
    const changed = await update('mine', { endpoint, updateMask: ['timeout_ms', 'format', 'signing'] });
    expect(changed.endpoint).toMatchObject({ format: ENDPOINT_FORMAT_PREO, timeoutMs: 30_000, signing: [] });
  });

  it('are refused with everything at once that their dialect does not know', async () => {
    const wrong = {
      dialect: DIALECT_PREO,
      format: ENDPOINT_FORMAT_DISCORD,
      policyId: '1',
      headers: { Host: 'x' },
    };
    expect(await violatedFields(create({ ...wrong, signing: [1] }))).toEqual([
      '/format',
      '/headers/Host',
      '/policy',
      '/policy',
      '/signing',
    ]);
  });

  it('can be told by their dialect in the list', async () => {
    await create({ uid: 'a', dialect: DIALECT_PREO });
    await create({ uid: 'b' });
    const request = { organisationId, limit: 0, cursor: '', state: 0, dialect: DIALECT_PREO } as const;
    const { endpoints } = await harness().endpoints.listEndpoints(request, as());
    expect(endpoints.map(({ uid }) => uid)).toEqual(['a']);
  });

  describe('have secrets of their own:', () => {
    it('a text in the form of the dialect, or what the owner brings', async () => {
      const made = await create({ dialect: DIALECT_RAPIDLY });
      expect(made.secrets).toMatchObject([{ scheme: SIGNATURE_SCHEME_TEXT }]);
      expect(made.secrets[0]?.secret).toMatch(/^rapidly_whs_[\w-]{48}$/);
      const brought = await create({ dialect: DIALECT_RICLOUD }, 'top-secret');
      expect(brought.secrets.map(({ secret }) => secret)).toEqual(['top-secret']);
      expect((await signing()).map(({ secrets }) => secrets[0]?.secret)).toEqual([
        'top-secret',
        made.secrets[0]?.secret,
      ]);
    });

    it('none where a policy signs', async () => {
      expect((await create({ uid: 'mine', dialect: DIALECT_XURRENT })).secrets).toEqual([]);
      expect(await violatedFields(create({ dialect: DIALECT_XURRENT }, 'x'))).toEqual(['/secret']);
      const rotation = { organisationId, idOrUid: 'mine', overlapMs: undefined, secret: undefined };
      await expect(harness().endpoints.rotateSecret(rotation, as())).rejects.toMatchObject({
        code: 'failed_precondition',
      });
    });

    it('one at a time: a rotation ends the old one at once, unless it may overlap and is told to', async () => {
      const rotate = (idOrUid: string, overlapMs?: bigint) =>
        harness().endpoints.rotateSecret({ organisationId, idOrUid, overlapMs, secret: undefined }, as());
      await create({ uid: 'preo', dialect: DIALECT_PREO });
      await create({ uid: 'rapidly', dialect: DIALECT_RAPIDLY });
      expect((await rotate('preo')).secrets).toHaveLength(1);
      expect((await rotate('rapidly')).secrets).toHaveLength(1);
      expect((await rotate('rapidly', 1000n)).secrets).toHaveLength(2);
      expect(await violatedFields(rotate('preo', 1000n))).toEqual(['/overlapMs']);
    });

    it('replaced by an update that brings one, at once, and left alone by one that brings the same', async () => {
      await create({ uid: 'mine', dialect: DIALECT_RAPIDLY }, 'first');
      const changed = await update('mine', { secret: 'second' });
      expect(changed.secrets.map(({ secret }) => secret)).toEqual(['second']);
      expect(changed.endpoint?.version).toBe(2n);
      expect((await update('mine', { secret: 'second' })).secrets).toEqual(changed.secrets);
      expect(await violatedFields(update('mine', { secret: '' }))).toEqual(['/secret']);
    });

    it('shown by a read that asks for them, and by no other', async () => {
      await create({ uid: 'mine', dialect: DIALECT_RAPIDLY }, 'shown');
      const read = (includeSecrets: boolean) =>
        harness().endpoints.getEndpoint({ organisationId, idOrUid: 'mine', includeSecrets }, as());
      expect((await read(true)).secrets.map(({ secret }) => secret)).toEqual(['shown']);
      expect((await read(false)).secrets).toEqual([]);
    });
  });

  describe('are tied to a policy', () => {
    const policy = async (over: Partial<configV1.Policy> = {}): Promise<configV1.Policy> => {
      const made = configV1.Policy.fromPartial({ organisationId, algorithm: 2 });
      const answer = await harness().policies.createPolicy(
        { policy: { ...made, ...over }, key: undefined },
        as(),
      );
      return answer.policy ?? made;
    };
    const tie = (policyId: string | undefined) =>
      update('mine', { endpoint: configV1.Endpoint.fromPartial({ policyId }), updateMask: ['policy_id'] });

    it('by its id or its number, and untied again', async () => {
      const { id, number } = await policy();
      await create({ uid: 'mine', dialect: DIALECT_XURRENT, policyId: String(number) });
      expect((await get('mine')).policyId).toBe(id);
      expect((await tie(undefined)).endpoint?.policyId).toBeUndefined();
      expect((await tie(id)).endpoint?.policyId).toBe(id);
    });

    it('that is theirs: none, another tenant’s and a disabled one are refused alike, in the same place', async () => {
      const other = await harness().organisation('globex');
      const made = configV1.Policy.fromPartial({ organisationId: other, algorithm: 2 });
      const foreign = await harness().policies.createPolicy(
        { policy: made, key: undefined },
        { principal: operator },
      );
      await create({ uid: 'mine', dialect: DIALECT_XURRENT });
      for (const id of ['999', foreign.policy?.id]) {
        await expect(tie(id)).rejects.toMatchObject({
          violations: [{ field: '/policy', code: 'not_found' }],
        });
      }
      const disabled = await policy({ disabled: true });
      await expect(tie(disabled.id)).rejects.toMatchObject({
        violations: [{ field: '/policy', code: 'disabled' }],
      });
    });

    it('and go on with it when it is disabled', async () => {
      const { id } = await policy();
      await create({ uid: 'mine', dialect: DIALECT_XURRENT, policyId: id });
      const changes = configV1.Policy.fromPartial({ disabled: true });
      const disabling = { organisationId, idOrNumber: id, policy: changes, updateMask: ['disabled'] };
      await harness().policies.updatePolicy(disabling, as());
      expect((await tie(id)).endpoint?.policyId).toBe(id);
    });
  });

  describe('are verified', () => {
    it('from the start, where the dialect asks for it, each round under an id of its own', async () => {
      const ricloud = await create({ dialect: DIALECT_RICLOUD });
      const xurrent = await create({ dialect: DIALECT_XURRENT });
      expect(ricloud.endpoint).toMatchObject({
        verification: VERIFICATION_PENDING,
        verificationExpiresAt: undefined,
      });
      expect(xurrent.endpoint).toMatchObject({
        verification: VERIFICATION_PENDING,
        verificationExpiresAt: new Date(harness().clock.now() + dayMs),
      });
      expect(ricloud.endpoint?.verificationId).not.toBe(xurrent.endpoint?.verificationId);
    });

    it('anew when their URL changes, and not when something else does', async () => {
      await create({ uid: 'mine', dialect: DIALECT_RICLOUD });
      const before = await get('mine');
      await complete(before, true);
      const endpoint = configV1.Endpoint.fromPartial({ name: 'new', url: before.url });
      await update('mine', { endpoint, updateMask: ['name', 'url'] });
      expect((await get('mine')).verification).toBe(VERIFICATION_PASSED);
      const moved = (await move('mine', 'https://receiver.example/other')).endpoint;
      expect(moved).toMatchObject({ verification: VERIFICATION_PENDING });
      expect(moved?.verificationId).not.toBe(before.verificationId);
    });

    it('anew when their owner asks, which is not what the owner wrote', async () => {
      await create({ uid: 'mine', dialect: DIALECT_RICLOUD });
      const before = await get('mine');
      const { endpoint } = await harness().endpoints.startVerification(
        { organisationId, idOrUid: 'mine' },
        as(),
      );
      expect(endpoint?.verificationId).not.toBe(before.verificationId);
      expect(endpoint).toMatchObject({ version: 1n, updatedAt: before.updatedAt });
      const again = await update('mine', { startVerification: true });
      expect(again.endpoint?.verificationId).not.toBe(endpoint?.verificationId);
      expect(again.endpoint?.version).toBe(1n);
    });

    it('in no dialect that does not know it', async () => {
      await create({ uid: 'mine', dialect: DIALECT_PREO });
      const refusal = { code: 'failed_precondition' };
      const start = harness().endpoints.startVerification({ organisationId, idOrUid: 'mine' }, as());
      await expect(start).rejects.toMatchObject(refusal);
      await expect(update('mine', { startVerification: true })).rejects.toMatchObject(refusal);
    });

    it('by the outcome of the round that is open, once, and by no earlier one', async () => {
      await create({ uid: 'mine', dialect: DIALECT_RICLOUD });
      const first = await get('mine');
      await move('mine', 'https://receiver.example/other');
      expect((await complete(first, true)).endpoint?.verification).toBe(VERIFICATION_PENDING);
      const second = await get('mine');
      expect((await complete(second, false)).endpoint?.verification).toBe(VERIFICATION_FAILED);
      expect((await complete(second, true)).endpoint?.verification).toBe(VERIFICATION_FAILED);
      await expect(complete(second, true, operator)).rejects.toMatchObject({ code: 'permission_denied' });
    });

    it('without being asked again where an operator moves one that had passed before', async () => {
      const endpoint = configV1.Endpoint.fromPartial({
        organisationId,
        url: 'https://receiver.example/hook',
        dialect: DIALECT_XURRENT,
        verification: VERIFICATION_PASSED,
      });
      const request = { endpoint, secret: undefined, given: undefined };
      const moved = await harness().endpoints.createEndpoint(request, { principal: operator });
      expect(moved.endpoint).toMatchObject({ verification: VERIFICATION_PASSED, verificationId: undefined });
      expect(await pending()).toEqual([]);
    });

    it.each([
      ['an owner', DIALECT_XURRENT, VERIFICATION_PASSED],
      ['an owner', DIALECT_RICLOUD, VERIFICATION_FAILED],
    ])('and never because %s says so (%s, %s)', async (_, dialect, verification) => {
      expect(await violatedFields(create({ dialect, verification }))).toEqual(['/verification']);
    });

    it('and the dispatcher is told which rounds are open, oldest first', async () => {
      for (const uid of ['a', 'b', 'c']) {
        await create({ uid, dialect: DIALECT_XURRENT });
        harness().clock.advance(1000);
      }
      const [a, b, c] = [await get('a'), await get('b'), await get('c')];
      expect(await pending()).toEqual(
        [a, b, c].map(({ id, verificationId, verificationExpiresAt }) => ({
          organisationId,
          endpointId: id,
          verificationId,
          dialect: DIALECT_XURRENT,
          expiresAt: verificationExpiresAt,
        })),
      );
      const off = { organisationId, idOrUid: 'a', state: ENDPOINT_STATE_DISABLED, reason: '' };
      await harness().endpoints.setEndpointState({ ...off, expectedVersion: undefined }, as());
      await complete(b, true);
      expect((await pending()).map(({ endpointId }) => endpointId)).toEqual([c.id]);
      harness().clock.advance(dayMs);
      expect(await pending()).toEqual([]);
      await expect(pending(0)).rejects.toMatchObject({ violations: [{ field: '/limit' }] });
    });
  });

  describe('are verified by a callback', () => {
    const codeOf = async (): Promise<string> => {
      const [only] = await signing();
      return only?.verificationCallbackPath?.replace(/^\/callbacks\//, '') ?? '';
    };
    const confirm = (code: string, principal = service) =>
      harness().endpoints.confirmVerification({ code }, { principal });

    it('whose path the dispatcher gets while it is open', async () => {
      await create({ uid: 'mine', dialect: DIALECT_XURRENT });
      expect(await codeOf()).toMatch(/^[\w-]{64,}$/);
      await confirm(await codeOf());
      expect((await signing())[0]?.verificationCallbackPath).toBeUndefined();
    });

    it('that may be called again while it is valid, and is nobody’s after a day', async () => {
      await create({ uid: 'mine', dialect: DIALECT_XURRENT });
      const code = await codeOf();
      await confirm(code);
      harness().clock.advance(dayMs - 1);
      await confirm(code);
      expect((await get('mine')).verification).toBe(VERIFICATION_PASSED);
      harness().clock.advance(1);
      await expect(confirm(code)).rejects.toMatchObject({ code: 'not_found' });
      expect((await get('mine')).verification).toBe(VERIFICATION_PASSED);
    });

    it('of the latest round only, and of no endpoint that is gone', async () => {
      await create({ uid: 'mine', dialect: DIALECT_XURRENT });
      const old = await codeOf();
      await move('mine', 'https://receiver.example/other');
      await expect(confirm(old)).rejects.toMatchObject({ code: 'not_found' });
      const code = await codeOf();
      await harness().endpoints.deleteEndpoint(
        { organisationId, idOrUid: 'mine', expectedVersion: undefined },
        as(),
      );
      await expect(confirm(code)).rejects.toMatchObject({ code: 'not_found' });
    });

    it('which a test has none of, and which no key may confirm', async () => {
      await create({ dialect: DIALECT_RICLOUD });
      expect(await codeOf()).toBe('');
      await expect(confirm('made up')).rejects.toMatchObject({ code: 'not_found' });
      await expect(confirm('made up', operator)).rejects.toMatchObject({ code: 'permission_denied' });
    });
  });
});
