import type { StoredEndpoint } from './endpoint-store.ts';
import { sampleEndpoint, sampleId } from './sample-resources.harness.ts';
import type { ConfigStores } from './stores.ts';

/** What every adapter of EndpointStore guarantees. `stores` gives empty stores for each test. */
export function endpointStoreContract(stores: () => ConfigStores): void {
  const store = () => stores().endpoints;
  const organisationId = sampleId(1);
  const insert = (...args: Parameters<typeof sampleEndpoint>): Promise<StoredEndpoint> =>
    store().insert(sampleEndpoint(...args), 100);
  const changed = (stored: StoredEndpoint, over: Partial<StoredEndpoint['endpoint']>): StoredEndpoint => ({
    ...stored,
    endpoint: { ...stored.endpoint, ...over },
  });

  it('finds an endpoint by its id and by its uid, as it was written', async () => {
    const settings = { uid: 'mine', eventTypes: ['order.*'], labels: { region: ['eu'] } };
    const stored = await insert(1, settings);
    expect(stored).toMatchObject({ ...sampleEndpoint(1, settings), writes: 1 });
    expect(await store().find(organisationId, sampleId(1))).toEqual(stored);
    expect(await store().find(organisationId, 'mine')).toEqual(stored);
    expect(await store().find(organisationId, 'other')).toBeNull();
  });

  it('shows nothing to another organisation', async () => {
    const stored = await insert(1, { uid: 'mine' });
    const foreign = changed(stored, { organisationId: sampleId(2) });
    expect(await store().find(sampleId(2), sampleId(1))).toBeNull();
    expect(await store().find(sampleId(2), 'mine')).toBeNull();
    expect(await store().replace(foreign)).toBeNull();
    expect(await store().delete(foreign)).toBe(false);
    expect(await store().find(organisationId, 'mine')).toEqual(stored);
  });

  it('gives numbers that grow and never come back', async () => {
    const [first, second] = [await insert(1), await insert(2, { organisationId: sampleId(2) })];
    expect(second.endpoint.number).toBeGreaterThan(first.endpoint.number);
    await store().delete(second);
    expect((await insert(3)).endpoint.number).toBeGreaterThan(second.endpoint.number);
  });

  it('refuses a uid that is taken in the organisation, at insert and at replace', async () => {
    await insert(1, { uid: 'mine' });
    const second = await insert(2);
    const refusal = { code: 'already_exists', violations: [{ field: '/uid' }] };
    await expect(insert(3, { uid: 'mine' })).rejects.toMatchObject(refusal);
    await expect(store().replace(changed(second, { uid: 'mine' }))).rejects.toMatchObject(refusal);
    await insert(4, { uid: 'mine', organisationId: sampleId(2) });
    expect(await store().find(organisationId, sampleId(2))).toEqual(second);
  });

  it('refuses one endpoint more than an organisation may have', async () => {
    await store().insert(sampleEndpoint(1), 1);
    await expect(store().insert(sampleEndpoint(2), 1)).rejects.toMatchObject({ code: 'failed_precondition' });
    await store().insert(sampleEndpoint(3, { organisationId: sampleId(2) }), 1);
  });

  it('lists newest first, page after page, and by state', async () => {
    for (const number of [1, 2, 3, 4]) await insert(number, { state: number % 2 ? 'enabled' : 'paused' });
    const first = await store().list({ organisationId, limit: 3, beforeNumber: null, state: null });
    expect(first.map(({ endpoint }) => endpoint.id)).toEqual([4, 3, 2].map(sampleId));
    const beforeNumber = first[2]?.endpoint.number ?? null;
    const second = await store().list({ organisationId, limit: 3, beforeNumber, state: null });
    expect(second.map(({ endpoint }) => endpoint.id)).toEqual([sampleId(1)]);
    const paused = await store().list({ organisationId, limit: 3, beforeNumber: null, state: 'paused' });
    expect(paused.map(({ endpoint }) => endpoint.id)).toEqual([4, 2].map(sampleId));
  });

  it('lets exactly one of many who read the same endpoint replace or delete it', async () => {
    const stored = await insert(1);
    const replacements = Array.from({ length: 10 }, (_, index) =>
      store().replace(changed(stored, { name: `name ${index}` })),
    );
    const results = await Promise.all(replacements);
    const winners = results.filter((result) => result !== null);
    expect(winners).toHaveLength(1);
    expect(await store().find(organisationId, sampleId(1))).toEqual(winners[0]);
    expect(await store().delete(stored)).toBe(false);
    expect(await store().delete({ ...stored, writes: stored.writes + 1 })).toBe(true);
    expect(await store().find(organisationId, sampleId(1))).toBeNull();
  });

  it('shows the newest endpoint of all, to try the encryption key on', async () => {
    expect(await store().newest()).toBeNull();
    await insert(1);
    const stored = await insert(2, { organisationId: sampleId(2) });
    expect(await store().newest()).toEqual(stored);
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
    const current = async (): Promise<StoredEndpoint> =>
      (await store().find(organisationId, sampleId(1))) ?? Promise.reject(new Error('the endpoint is gone'));
    const writes = [
      () => insert(1),
      async () => store().replace(changed(await current(), { name: 'New' })),
      async () => store().delete(await current()),
    ];
    for (const write of writes) {
      const { revision } = await stores().revisions.changesSince(0);
      await write();
      const changes = await stores().revisions.changesSince(revision);
      expect(changes).toEqual({ revision: revision + 1, organisationIds: [organisationId], reset: false });
    }
  });
}
