import type { Policy } from '@posthorn/models';
import type { StoredPolicy } from './policy-store.ts';
import { sampleId, samplePolicy } from '../stores/sample-resources.harness.ts';
import type { ConfigStores } from '../stores/stores.ts';

/** What every adapter of PolicyStore guarantees. `stores` gives empty stores for each test. */
export function policyStoreContract(stores: () => ConfigStores): void {
  const store = () => stores().policies;
  const organisationId = sampleId(1);
  const insert = (...args: Parameters<typeof samplePolicy>): Promise<StoredPolicy> =>
    store().insert(samplePolicy(...args), 100);
  const changed = (stored: StoredPolicy, over: Partial<Policy>): StoredPolicy => ({
    ...stored,
    policy: { ...stored.policy, ...over },
  });
  const idsOf = (found: readonly StoredPolicy[]): readonly string[] => found.map(({ policy }) => policy.id);

  it('finds a policy by its id, its number and its name, as it was written', async () => {
    const settings = {
      algorithm: 'rs256',
      audience: 'receivers',
      expiresInMinutes: 12,
      publicKeyPem: 'PEM',
    } as const;
    const stored = await insert(1, settings);
    expect(stored).toMatchObject({ ...samplePolicy(1, settings), writes: 1 });
    expect(await store().find(organisationId, sampleId(1))).toEqual(stored);
    expect(await store().find(organisationId, stored.policy.number)).toEqual(stored);
    expect(await store().findByName('policy-1')).toEqual(stored);
    expect(await store().find(organisationId, sampleId(2))).toBeNull();
    expect(await store().find(organisationId, stored.policy.number + 1)).toBeNull();
    // A number is no text.
    expect(await store().find(organisationId, String(stored.policy.number))).toBeNull();
    expect(await store().findByName('policy-2')).toBeNull();
  });

  it('shows nothing to another organisation', async () => {
    const stored = await insert(1);
    expect(await store().find(sampleId(2), sampleId(1))).toBeNull();
    expect(await store().find(sampleId(2), stored.policy.number)).toBeNull();
    expect(await store().replace(changed(stored, { organisationId: sampleId(2) }))).toBeNull();
    const page = { organisationId: sampleId(2), limit: 10, beforeNumber: null };
    expect(await store().list(page)).toEqual([]);
    expect(await store().find(organisationId, sampleId(1))).toEqual(stored);
  });

  it('gives numbers that grow and never come back', async () => {
    const [first, second] = [await insert(1), await insert(2, { organisationId: sampleId(2) })];
    expect(second.policy.number).toBeGreaterThan(first.policy.number);
    await store().deleteSome(sampleId(2), 10);
    expect((await insert(3)).policy.number).toBeGreaterThan(second.policy.number);
  });

  it('gives each of many that are made at once a number of its own', async () => {
    const made = await Promise.all([1, 2, 3, 4, 5].map((number) => insert(number)));
    expect(new Set(made.map(({ policy }) => policy.number)).size).toBe(5);
  });

  it('refuses a name that is taken, by whichever organisation, also of many that come at once', async () => {
    const refusal = { code: 'already_exists', violations: [{ field: '/name' }] };
    await insert(1, { name: 'mine' });
    await expect(insert(2, { name: 'mine' })).rejects.toMatchObject(refusal);
    await expect(insert(3, { name: 'mine', organisationId: sampleId(2) })).rejects.toMatchObject(refusal);
    const results = await Promise.allSettled([4, 5, 6].map((number) => insert(number, { name: 'ours' })));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('refuses one policy more than an organisation may have', async () => {
    await store().insert(samplePolicy(1), 1);
    await expect(store().insert(samplePolicy(2), 1)).rejects.toMatchObject({ code: 'failed_precondition' });
    await store().insert(samplePolicy(3, { organisationId: sampleId(2) }), 1);
  });

  it('lists newest first, page after page', async () => {
    for (const number of [1, 2, 3, 4]) await insert(number);
    await insert(5, { organisationId: sampleId(2) });
    const first = await store().list({ organisationId, limit: 3, beforeNumber: null });
    expect(idsOf(first)).toEqual([4, 3, 2].map(sampleId));
    const beforeNumber = first[2]?.policy.number ?? null;
    expect(idsOf(await store().list({ organisationId, limit: 3, beforeNumber }))).toEqual([sampleId(1)]);
  });

  it('lets exactly one of many who read the same policy replace it', async () => {
    const stored = await insert(1);
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, index) => store().replace(changed(stored, { audience: `${index}` }))),
    );
    const winners = results.filter((result) => result !== null);
    expect(winners).toHaveLength(1);
    expect(winners[0]?.writes).toBe(2);
    expect(await store().find(organisationId, sampleId(1))).toEqual(winners[0]);
    expect(await store().findByName('policy-1')).toEqual(winners[0]);
  });

  it('lets exactly one of many replace a policy also when all write the very same', async () => {
    const stored = await insert(1);
    const wanted = changed(stored, { disabled: true });
    const results = await Promise.all(Array.from({ length: 8 }, () => store().replace(wanted)));
    expect(results.filter((result) => result !== null)).toEqual([{ ...wanted, writes: stored.writes + 1 }]);
  });

  it('deletes those of an organisation in steps, and no others', async () => {
    for (const number of [1, 2, 3]) await insert(number);
    await insert(4, { organisationId: sampleId(2) });
    expect(await store().deleteSome(organisationId, 2)).toBe(2);
    expect(await store().deleteSome(organisationId, 2)).toBe(1);
    expect(await store().deleteSome(organisationId, 2)).toBe(0);
    expect(await store().find(sampleId(2), sampleId(4))).not.toBeNull();
  });

  it('has every write in the list of changes by the time it is answered', async () => {
    const writes = [
      () => insert(1),
      async () => {
        const stored = await store().find(organisationId, sampleId(1));
        return stored === null ? null : store().replace(changed(stored, { disabled: true }));
      },
      () => store().deleteSome(organisationId, 10),
    ];
    for (const write of writes) {
      const { revision } = await stores().revisions.changesSince(0);
      await write();
      const changes = await stores().revisions.changesSince(revision);
      expect(changes).toEqual({ revision: revision + 1, organisationIds: [organisationId], reset: false });
    }
  });
}
