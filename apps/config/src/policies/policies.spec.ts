import { configV1, policyAlgorithmTable } from '@posthorn/contracts';
import { policyAlgorithms, policyKeyTypes, type PolicyAlgorithm } from '@posthorn/models';
import { operator, service, tenant, useHarness, violatedFields } from '../config.harness.ts';

const { POLICY_ALGORITHM_HS256, POLICY_ALGORITHM_RS256, POLICY_ALGORITHM_RS512, POLICY_ALGORITHM_ES256 } =
  configV1.PolicyAlgorithm;
const givenSecret = 'a shared secret that is long enough for every algorithm of the family';

describe('PolicyService', () => {
  const harness = useHarness({ limits: { policies: 12 } });
  let organisationId: string;

  beforeEach(async () => {
    organisationId = await harness().organisation('acme');
  });

  const as = () => ({ principal: tenant(organisationId) });
  const create = (over: Partial<configV1.Policy>, key?: string) => {
    const policy = { ...configV1.Policy.fromPartial({ organisationId }), ...over };
    return harness().policies.createPolicy({ policy, key }, as());
  };
  const update = (idOrNumber: string, over: Partial<configV1.Policy>, updateMask: string[]) => {
    const policy = { ...configV1.Policy.fromPartial({}), ...over };
    return harness().policies.updatePolicy({ organisationId, idOrNumber, policy, updateMask }, as());
  };
  const get = async (idOrNumber: string): Promise<configV1.Policy | undefined> =>
    (await harness().policies.getPolicy({ organisationId, idOrNumber }, as())).policy;
  const view = async (): Promise<configV1.SigningPolicy[]> => {
    const request = { organisationId, cursor: '', omitEndpoints: false };
    return (await harness().directory.getOrganisationView(request, { principal: service })).policies;
  };

  it.each(policyAlgorithms)('makes a policy for %s with a key of its type', async (algorithm) => {
    const { policy, sharedSecret } = await create({ algorithm: policyAlgorithmTable.toMessage(algorithm) });
    const type: string = policyKeyTypes[algorithm];
    expect(policy?.name).toMatch(/^[0-9a-f]{56}$/);
    expect(policy).toMatchObject({ disabled: false, audience: undefined, expiresInMinutes: undefined });
    expect(sharedSecret?.length ?? 0).toBeGreaterThanOrEqual(type === 'secret' ? 64 : 0);
    expect(sharedSecret === undefined).toBe(type !== 'secret');
    expect(policy?.publicKeyPem?.includes('BEGIN PUBLIC KEY')).toBe(
      type === 'secret' || type === 'none' ? undefined : true,
    );
  });

  it('finds a policy by its id and its number, and shows its secret to nobody but the dispatcher', async () => {
    const { policy, sharedSecret } = await create({ algorithm: POLICY_ALGORITHM_HS256 });
    expect(await get(policy?.id ?? '')).toEqual(policy);
    expect(await get(String(policy?.number))).toEqual(policy);
    expect(
      JSON.stringify(await get(policy?.id ?? ''), (_, value: unknown) =>
        typeof value === 'bigint' ? String(value) : value,
      ),
    ).not.toContain(sharedSecret);
    expect(await view()).toEqual([{ policy, key: sharedSecret }]);
  });

  it('takes the name and the key of a policy that comes from elsewhere', async () => {
    const { policy, sharedSecret } = await create(
      { algorithm: POLICY_ALGORITHM_HS256, name: 'known-to-receivers' },
      givenSecret,
    );
    expect([policy?.name, sharedSecret]).toEqual(['known-to-receivers', givenSecret]);
    await expect(
      create({ algorithm: POLICY_ALGORITHM_HS256, name: 'known-to-receivers' }),
    ).rejects.toMatchObject({ code: 'already_exists', violations: [{ field: '/name' }] });
  });

  it('shows everything that is wrong at once, without the key', async () => {
    const wrong = { name: 'a b', audience: '', expiresInMinutes: -1 };
    expect(await violatedFields(create(wrong))).toEqual([
      '/algorithm',
      '/audience',
      '/expiresInMinutes',
      '/name',
    ]);
    const key = 'too short to be a secret';
    const error: unknown = await create({ algorithm: POLICY_ALGORITHM_HS256, name: 'a b' }, key).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ violations: [{ field: '/key' }, { field: '/name' }] });
    expect(JSON.stringify(error)).not.toContain(key);
  });

  it('changes what may change, and nothing when nothing is named', async () => {
    const { policy } = await create({
      algorithm: POLICY_ALGORITHM_RS256,
      audience: 'a',
      expiresInMinutes: 5,
    });
    harness().clock.advance(1000);
    const changes = { algorithm: POLICY_ALGORITHM_RS512, disabled: true };
    const changed = await update(policy?.id ?? '', changes, ['algorithm', 'audience', 'disabled']);
    expect(changed.policy).toEqual({
      ...policy,
      ...changes,
      audience: undefined,
      updatedAt: new Date(harness().clock.now()),
    });
    harness().clock.advance(1000);
    expect(await update(policy?.id ?? '', {}, [])).toEqual(changed);
    expect(await get(policy?.id ?? '')).toEqual(changed.policy);
  });

  it('never changes the type of a key, because no answer could show the new one', async () => {
    const { policy } = await create({ algorithm: POLICY_ALGORITHM_RS256 });
    const change = update(policy?.id ?? '', { algorithm: POLICY_ALGORITHM_ES256 }, ['algorithm']);
    await expect(change).rejects.toMatchObject({
      violations: [{ field: '/algorithm', code: 'key_type_fixed' }],
    });
    expect(await get(policy?.id ?? '')).toEqual(policy);
  });

  it('lists all at once, or newest first in pages', async () => {
    for (let made = 0; made < 3; made++) await create({ algorithm: POLICY_ALGORITHM_HS256 });
    const list = (limit: number, cursor = '') =>
      harness().policies.listPolicies({ organisationId, limit, cursor }, as());
    const all = await list(0);
    expect(all.policies).toHaveLength(3);
    const first = await list(2);
    const second = await list(2, first.nextCursor);
    expect([...first.policies, ...second.policies]).toEqual(all.policies);
    expect(second.nextCursor).toBe('');
  });

  it('refuses one policy more than an organisation may have', async () => {
    for (let made = 0; made < 12; made++) await create({ algorithm: POLICY_ALGORITHM_HS256 });
    await expect(create({ algorithm: POLICY_ALGORITHM_HS256 })).rejects.toMatchObject({
      code: 'failed_precondition',
    });
  });

  it('gives a public key by the name of its policy to services, and shared secrets to nobody', async () => {
    const pair = await create({ algorithm: POLICY_ALGORITHM_ES256 });
    const shared = await create({ algorithm: POLICY_ALGORITHM_HS256 });
    const key = (name = '', principal = service) => harness().policies.getPublicKey({ name }, { principal });
    expect(await key(pair.policy?.name)).toEqual({
      algorithm: POLICY_ALGORITHM_ES256,
      publicKeyPem: pair.policy?.publicKeyPem,
    });
    await expect(key(shared.policy?.name)).rejects.toMatchObject({ code: 'not_found' });
    await expect(key('unknown')).rejects.toMatchObject({ code: 'not_found' });
    await expect(key(pair.policy?.name, operator)).rejects.toMatchObject({ code: 'permission_denied' });
  });

  it('is deleted with its organisation', async () => {
    const { policy } = await create({ algorithm: POLICY_ALGORITHM_ES256, name: 'mine' });
    await harness().organisations.deleteOrganisation({ idOrSlug: 'acme' }, { principal: operator });
    const key = harness().policies.getPublicKey({ name: policy?.name ?? '' }, { principal: service });
    await expect(key).rejects.toMatchObject({ code: 'not_found' });
  });

  const algorithms: readonly PolicyAlgorithm[] = ['none', 'hs512'];
  it.each(algorithms)('takes the audience and the expiry of tokens for %s as they are', async (algorithm) => {
    const settings = { audience: 'é', expiresInMinutes: 12 };
    const { policy } = await create({ algorithm: policyAlgorithmTable.toMessage(algorithm), ...settings });
    expect(policy).toMatchObject(settings);
  });
});

describe('the view of an organisation with many policies', () => {
  const harness = useHarness();

  it('hands them out in pages before the endpoints, each once', async () => {
    const organisationId = await harness().organisation('acme');
    const principal = tenant(organisationId);
    const made = configV1.Policy.fromPartial({ organisationId, algorithm: POLICY_ALGORITHM_HS256 });
    const policy = { ...made, audience: 'a'.repeat(2000) };
    const key = 's'.repeat(2048);
    await Promise.all(
      Array.from({ length: 250 }, () => harness().policies.createPolicy({ policy, key }, { principal })),
    );
    await harness().endpoint(organisationId);
    const numbers: bigint[] = [];
    const endpoints: number[] = [];
    let cursor = '';
    do {
      const request = { organisationId, cursor, omitEndpoints: false };
      const page = await harness().directory.getOrganisationView(request, { principal: service });
      numbers.push(...page.policies.map((each) => each.policy?.number ?? 0n));
      endpoints.push(page.endpoints.length);
      cursor = page.nextCursor;
    } while (cursor !== '');
    expect(endpoints.length).toBeGreaterThan(1);
    expect(endpoints.filter((count) => count > 0)).toEqual([1]);
    expect(numbers).toHaveLength(250);
    expect(new Set(numbers).size).toBe(250);
  });
});
