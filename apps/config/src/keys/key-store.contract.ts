import { sampleId, sampleKey } from '../stores/sample-resources.harness.ts';
import type { ConfigStores } from '../stores/stores.ts';

/** What every adapter of KeyStore guarantees. `stores` gives empty stores for each test. */
export function keyStoreContract(stores: () => ConfigStores): void {
  const store = () => stores().keys;

  it('finds a key by its id and by the hash of its token, as it was written', async () => {
    const limits = { publishesPerSecond: 1, publishesPerDay: null, bytesPerDay: 2 };
    const stored = sampleKey(1, { expiresAt: new Date('2027-01-01T00:00:00Z'), scopes: ['*'], limits });
    await store().insert(stored, 10);
    expect(await store().find(stored.key.id)).toEqual(stored.key);
    expect(await store().findByToken(stored.tokenSha256)).toEqual(stored.key);
    expect(await store().find(sampleId(2))).toBeNull();
    expect(await store().findByToken(sampleKey(2).tokenSha256)).toBeNull();
  });

  it('refuses a token that another key has', async () => {
    await store().insert(sampleKey(1), 10);
    const twin = { ...sampleKey(2, { organisationId: null }), tokenSha256: sampleKey(1).tokenSha256 };
    const refusal = { code: 'already_exists', violations: [{ field: '/token' }] };
    await expect(store().insert(twin, 10)).rejects.toMatchObject(refusal);
    await expect(store().put(twin)).rejects.toMatchObject(refusal);
    expect(await store().find(sampleId(2))).toBeNull();
  });

  it('refuses one key more than an organisation may have, and counts each organisation for itself', async () => {
    await store().insert(sampleKey(1), 2);
    await store().insert(sampleKey(2), 2);
    await expect(store().insert(sampleKey(3), 2)).rejects.toMatchObject({ code: 'failed_precondition' });
    await store().insert(sampleKey(4, { organisationId: sampleId(9) }), 2);
    await store().insert(sampleKey(5, { organisationId: null }), 2);
  });

  it('puts a key in the place of the one with its id, whose token no longer counts', async () => {
    await store().put(sampleKey(1));
    const next = { ...sampleKey(1, { name: 'next' }), tokenSha256: sampleKey(7).tokenSha256 };
    await store().put(next);
    expect(await store().findByToken(next.tokenSha256)).toEqual(next.key);
    expect(await store().findByToken(sampleKey(1).tokenSha256)).toBeNull();
  });

  it('lists the keys of an organisation, of operators, or all, newest first', async () => {
    await store().insert(sampleKey(1), 10);
    await store().insert(sampleKey(2, { organisationId: null }), 10);
    await store().insert(sampleKey(3, { organisationId: sampleId(9) }), 10);
    await store().insert(sampleKey(4), 10);
    const ids = async (...[owner, limit, beforeId]: ListArguments): Promise<string[]> =>
      (await store().list({ owner, limit, beforeId })).map(({ id }) => id);
    expect(await ids('any', 3, null)).toEqual([sampleId(4), sampleId(3), sampleId(2)]);
    expect(await ids('any', 3, sampleId(2))).toEqual([sampleId(1)]);
    expect(await ids('operator', 3, null)).toEqual([sampleId(2)]);
    expect(await ids({ organisationId: sampleId(1) }, 1, null)).toEqual([sampleId(4)]);
    expect(await ids({ organisationId: sampleId(1) }, 5, sampleId(4))).toEqual([sampleId(1)]);
  });

  it('replaces the named fields and leaves the others', async () => {
    await store().insert(sampleKey(1), 10);
    const changes = { name: 'New', expiresAt: new Date('2027-01-01T00:00:00Z') };
    expect(await store().update(sampleId(1), changes)).toEqual(sampleKey(1, changes).key);
    expect(await store().update(sampleId(1), { expiresAt: null })).toEqual(sampleKey(1, { name: 'New' }).key);
    expect(await store().find(sampleId(1))).toEqual(sampleKey(1, { name: 'New' }).key);
    expect(await store().update(sampleId(2), changes)).toBeNull();
  });

  it('remembers the latest use, whatever order the news come in', async () => {
    await store().insert(sampleKey(1), 10);
    const later = new Date('2026-02-02T00:00:00Z');
    await store().touch(sampleId(1), later);
    await store().touch(sampleId(1), new Date('2026-02-01T00:00:00Z'));
    await store().touch(sampleId(2), later);
    expect((await store().find(sampleId(1)))?.lastUsedAt).toEqual(later);
    await store().update(sampleId(1), { name: 'New' });
    expect((await store().find(sampleId(1)))?.lastUsedAt).toEqual(later);
  });

  it('deletes one, or those of an organisation in steps, and no others', async () => {
    for (const number of [1, 2, 3]) await store().insert(sampleKey(number), 10);
    await store().insert(sampleKey(4, { organisationId: null }), 10);
    expect(await store().delete(sampleId(1))).toBe(true);
    expect(await store().delete(sampleId(1))).toBe(false);
    expect(await store().deleteSome(sampleId(1), 1)).toBe(1);
    expect(await store().deleteSome(sampleId(1), 5)).toBe(1);
    expect(await store().deleteSome(sampleId(1), 5)).toBe(0);
    expect(await store().find(sampleId(4))).not.toBeNull();
  });
}

type ListArguments = [{ readonly organisationId: string } | 'operator' | 'any', number, string | null];
