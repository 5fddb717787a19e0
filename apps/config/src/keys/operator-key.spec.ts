import { service, useHarness } from '../config.harness.ts';
import { hashToken } from './hash-token.ts';
import { sampleKey } from '../stores/sample-resources.harness.ts';
import { openTemporaryStores } from '../stores/temporary-stores.harness.ts';
import { ensureOperatorKey } from './operator-key.ts';
import { createSeededRandom, FakeClock } from '@posthorn/testing';

const first = 'a configured operator key, long enough';
const second = 'another configured operator key, also long enough';

describe('the operator key', () => {
  const harness = useHarness();
  const ensure = (configured?: string) =>
    harness().config.ensureOperatorKey({ ...(configured && { configured }) });
  const authenticate = (token: string) =>
    harness().keys.authenticate({ tokenSha256: hashToken(token) }, { principal: service });
  const refused = { code: 'unauthenticated' };

  it('is made on the first start, told once, and may do everything', async () => {
    const { token } = await ensure();
    const { key } = await authenticate(token ?? '');
    expect(key).toMatchObject({ scopes: ['*'], organisationId: undefined, expiresAt: undefined });
    expect(await ensure()).toEqual({});
  });

  it('is the configured one where there is one, and that is never told', async () => {
    expect(await ensure(first)).toEqual({});
    expect(await ensure(first)).toEqual({});
    expect((await authenticate(first)).key?.scopes).toEqual(['*']);
    expect(await ensure()).toEqual({});
  });

  it('stops working when another one is configured', async () => {
    await ensure(first);
    await ensure(second);
    await authenticate(second);
    await expect(authenticate(first)).rejects.toMatchObject(refused);
  });

  it('leaves the generated one alone when one is configured later', async () => {
    const { token } = await ensure();
    await ensure(first);
    for (const each of [token ?? '', first]) {
      expect((await authenticate(each)).key?.scopes).toEqual(['*']);
    }
  });

  it('refuses a configured key that can be guessed', async () => {
    await expect(ensure('x'.repeat(31))).rejects.toMatchObject({ code: 'failed_precondition' });
  });

  it('is made by exactly one of several processes that start at once', async () => {
    const results = await Promise.all([1, 2, 3].map(() => ensure()));
    expect(results.filter(({ token }) => token !== undefined)).toHaveLength(1);
  });
});

describe('a configured operator key that is in use already', () => {
  const dependencies = { clock: new FakeClock(), random: createSeededRandom(5) };

  it('is refused when it belongs to an organisation, which would make that an operator', async () => {
    const { stores, close } = await openTemporaryStores();
    await stores.keys.insert({ ...sampleKey(1), tokenSha256: hashToken(first) }, 10);
    await expect(ensureOperatorKey(first, { ...dependencies, store: stores.keys })).rejects.toMatchObject({
      code: 'failed_precondition',
    });
    await close();
  });

  it('is taken as it is when it belongs to an operator, and the one configured before ends', async () => {
    const { stores, close } = await openTemporaryStores();
    await ensureOperatorKey(second, { ...dependencies, store: stores.keys });
    await stores.keys.insert(
      { ...sampleKey(1, { organisationId: null }), tokenSha256: hashToken(first) },
      10,
    );
    await ensureOperatorKey(first, { ...dependencies, store: stores.keys });
    expect(await stores.keys.findByToken(hashToken(first))).toMatchObject(
      sampleKey(1, { organisationId: null }).key,
    );
    expect(await stores.keys.findByToken(hashToken(second))).toBeNull();
    await close();
  });
});
