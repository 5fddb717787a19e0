import { sampleId, sampleOrganisation } from '../stores/sample-resources.harness.ts';
import type { ConfigStores } from '../stores/stores.ts';

/** What every adapter of OrganisationStore guarantees. `stores` gives empty stores for each test. */
export function organisationStoreContract(stores: () => ConfigStores): void {
  const store = () => stores().organisations;
  const revisionAfter = async (): Promise<number> => (await stores().revisions.changesSince(0)).revision;

  it('finds an organisation by its id and by its slug, as it was written', async () => {
    const organisation = sampleOrganisation(1, {
      branding: { name: 'B', iconUrl: null, thumbnailUrl: null },
      limits: {
        publishesPerSecond: 1,
        publishesPerDay: null,
        bytesPerDay: 999_999_999_999_999,
        endpoints: 0,
      },
    });
    await store().insert(organisation);
    expect(await store().find(organisation.id)).toEqual(organisation);
    expect(await store().find(organisation.slug)).toEqual(organisation);
    expect(await store().find(sampleId(2))).toBeNull();
  });

  it('refuses a slug that is taken, at insert and at update, and changes nothing', async () => {
    await store().insert(sampleOrganisation(1));
    await store().insert(sampleOrganisation(2));
    const revision = await revisionAfter();
    const refusal = { code: 'already_exists', violations: [{ field: '/slug' }] };
    await expect(store().insert(sampleOrganisation(3, { slug: 'organisation-1' }))).rejects.toMatchObject(
      refusal,
    );
    await expect(store().update(sampleId(2), { slug: 'organisation-1' })).rejects.toMatchObject(refusal);
    expect(await store().find(sampleId(3))).toBeNull();
    expect(await store().find(sampleId(2))).toEqual(sampleOrganisation(2));
    expect(await revisionAfter()).toBe(revision);
  });

  it('lets exactly one of many concurrent inserts have a slug', async () => {
    const inserts = Array.from({ length: 20 }, (_, index) =>
      store().insert(sampleOrganisation(index + 1, { slug: 'wanted' })),
    );
    const results = await Promise.allSettled(inserts);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('lists newest first, page after page', async () => {
    for (const number of [2, 5, 1, 4, 3]) await store().insert(sampleOrganisation(number));
    const first = await store().list({ limit: 2, beforeId: null });
    expect(first.map(({ id }) => id)).toEqual([sampleId(5), sampleId(4)]);
    const second = await store().list({ limit: 5, beforeId: sampleId(4) });
    expect(second.map(({ id }) => id)).toEqual([sampleId(3), sampleId(2), sampleId(1)]);
  });

  it('replaces the named fields and leaves the others', async () => {
    await store().insert(sampleOrganisation(1));
    const changes = { name: 'New', slug: 'new', accountUrl: 'https://example.com' };
    const expected = sampleOrganisation(1, changes);
    expect(await store().update(sampleId(1), changes)).toEqual(expected);
    expect(await store().find('new')).toEqual(expected);
    expect(await store().find('organisation-1')).toBeNull();
    expect(await store().update(sampleId(2), { name: 'x' })).toBeNull();
  });

  it('deletes once', async () => {
    await store().insert(sampleOrganisation(1));
    expect(await store().delete(sampleId(1))).toBe(true);
    expect(await store().delete(sampleId(1))).toBe(false);
    expect(await store().find(sampleId(1))).toBeNull();
  });

  it('has every write in the list of changes by the time it is answered', async () => {
    const writes = [
      () => store().insert(sampleOrganisation(1)),
      () => store().update(sampleId(1), { name: 'New' }),
      () => store().delete(sampleId(1)),
    ];
    for (const write of writes) {
      const before = await revisionAfter();
      await write();
      expect(await stores().revisions.changesSince(before)).toEqual({
        revision: before + 1,
        organisationIds: [sampleId(1)],
        reset: false,
      });
    }
  });
}
