import type { Endpoint } from '@posthorn/models';
import type { EndpointSearch, StoredEndpoint } from './endpoint-store.ts';
import { endpointSearchContract } from './endpoint-search.contract.ts';
import { sampleEndpoint, sampleId } from '../stores/sample-resources.harness.ts';
import type { ConfigStores } from '../stores/stores.ts';

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

  const idsOf = (found: readonly StoredEndpoint[]): readonly string[] =>
    found.map(({ endpoint }) => endpoint.id);

  it('finds an endpoint by its id and by its uid, as it was written', async () => {
    const settings = {
      uid: 'mine',
      dialect: 'xurrent',
      verification: 'pending',
      verificationId: sampleId(7),
      verificationExpiresAt: new Date('2026-01-02T00:00:00.000Z'),
      policyId: sampleId(8),
      eventTypes: ['order.*'],
      labels: { region: ['eu'] },
    } as const;
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

  it('lists newest first, page after page, by state and by dialect', async () => {
    for (const number of [1, 2, 3, 4]) {
      await insert(number, {
        state: number % 2 ? 'enabled' : 'paused',
        dialect: number > 2 ? 'preo' : 'standard',
      });
    }
    await insert(5, { organisationId: sampleId(2) });
    const all = { organisationId, limit: 3, beforeNumber: null, state: null, dialect: null };
    const first = await store().list(all);
    expect(idsOf(first)).toEqual([4, 3, 2].map(sampleId));
    const beforeNumber = first[2]?.endpoint.number ?? null;
    expect(idsOf(await store().list({ ...all, beforeNumber }))).toEqual([sampleId(1)]);
    expect(idsOf(await store().list({ ...all, state: 'paused' }))).toEqual([4, 2].map(sampleId));
    expect(idsOf(await store().list({ ...all, dialect: 'preo' }))).toEqual([4, 3].map(sampleId));
    expect(idsOf(await store().list({ ...all, state: 'paused', dialect: 'preo' }))).toEqual([sampleId(4)]);
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

  it('lets exactly one of many replace an endpoint also when all write the very same', async () => {
    let stored = await insert(1);
    for (const state of ['disabled', 'enabled', 'paused', 'disabled'] as const) {
      const wanted = changed(stored, { state, version: stored.endpoint.version + 1 });
      const results = await Promise.all(Array.from({ length: 8 }, () => store().replace(wanted)));
      const winners = results.filter((result) => result !== null);
      expect(winners).toEqual([{ ...wanted, writes: stored.writes + 1 }]);
      stored = winners[0] ?? stored;
    }
  });

  it('knows whether an endpoint names an operational type, as it is written now', async () => {
    const patterns = ['posthorn.endpoint.deleted', 'posthorn.endpoint.*', 'posthorn.*'];
    const names = (id = organisationId): Promise<boolean> => store().namesAny(id, patterns);
    await insert(1, { eventTypes: null });
    await insert(2, { eventTypes: ['*', 'order.*'], description: '"posthorn.*" isn\'t for us' });
    await insert(3, { eventTypes: ['posthorn.endpoint.created'] });
    await insert(4, { eventTypes: ['posthorn.*'], organisationId: sampleId(2) });
    expect(await names()).toBe(false);
    expect(await names(sampleId(2))).toBe(true);
    const listening = await insert(5, { eventTypes: ['order.*', 'posthorn.endpoint.*'], state: 'paused' });
    expect(await names()).toBe(true);
    expect(await names(sampleId(3))).toBe(false);
    const deaf = await store().replace(changed(listening, { eventTypes: ['order.*'] }));
    expect(await names()).toBe(false);
    if (deaf !== null) await store().replace(changed(deaf, { eventTypes: ['posthorn.endpoint.deleted'] }));
    expect(await names()).toBe(true);
  });

  describe('searching', () => {
    const day = (number: number): Date => new Date(Date.UTC(2026, 0, number));
    const everything: EndpointSearch = {
      organisationIds: null,
      dialect: null,
      states: null,
      verifications: null,
      ids: null,
      editionId: null,
      createdAfter: null,
      createdBefore: null,
      orderBy: 'created',
      descending: false,
      offset: 0,
      limit: 10,
      beside: null,
    };
    /** Numbers of the samples that are found, with the total and whether there are more. */
    async function search(
      over: Partial<EndpointSearch>,
    ): Promise<readonly [readonly number[], number, boolean]> {
      const { endpoints, total, hasMore } = await store().search({ ...everything, ...over });
      return [endpoints.map(({ endpoint }) => Number(endpoint.id.slice(-12))), total, hasMore];
    }

    beforeEach(async () => {
      const samples: readonly Partial<Endpoint>[] = [
        { dialect: 'ricloud', verification: 'passed', name: 'b', updatedAt: day(9) },
        { dialect: 'ricloud', verification: 'failed', name: 'B', state: 'disabled', updatedAt: day(8) },
        { dialect: 'preo', editionId: 'x', name: 'a', updatedAt: day(8) },
        { dialect: 'preo', editionId: 'y', name: 'a', state: 'paused', updatedAt: day(7) },
        { dialect: 'preo', editionId: 'x', name: 'é', updatedAt: day(6), organisationId: sampleId(2) },
      ];
      for (const [index, sample] of samples.entries()) {
        await insert(index + 1, { createdAt: day(index + 1), ...sample });
      }
    });

    it('finds those of the organisations, the dialect, the states, the verifications and the edition', async () => {
      expect(await search({})).toEqual([[1, 2, 3, 4, 5], 5, false]);
      expect(await search({ organisationIds: [organisationId] })).toEqual([[1, 2, 3, 4], 4, false]);
      expect(await search({ organisationIds: [organisationId, sampleId(2)] })).toEqual([
        [1, 2, 3, 4, 5],
        5,
        false,
      ]);
      expect(await search({ organisationIds: [] })).toEqual([[], 0, false]);
      expect(await search({ dialect: 'preo' })).toEqual([[3, 4, 5], 3, false]);
      expect(await search({ dialect: 'rapidly' })).toEqual([[], 0, false]);
      expect(await search({ states: ['enabled', 'paused'] })).toEqual([[1, 3, 4, 5], 4, false]);
      expect(await search({ verifications: ['failed'] })).toEqual([[2], 1, false]);
      expect(await search({ editionId: 'x', organisationIds: [organisationId] })).toEqual([[3], 1, false]);
      expect(await search({ ids: [4, 2, 99].map(sampleId) })).toEqual([[2, 4], 2, false]);
      expect(await search({ ids: [sampleId(5)], organisationIds: [organisationId] })).toEqual([[], 0, false]);
      expect(await search({ ids: [1, 2].map(sampleId), beside: { side: 'after', id: sampleId(1) } })).toEqual(
        [[2], 2, false],
      );
    });

    it('finds those that were created in a range, its ends in or out', async () => {
      const range = (inclusive: boolean): Partial<EndpointSearch> => ({
        createdAfter: { at: day(2), inclusive },
        createdBefore: { at: day(4), inclusive },
      });
      expect(await search(range(true))).toEqual([[2, 3, 4], 3, false]);
      expect(await search(range(false))).toEqual([[3], 1, false]);
      expect(
        await search({ createdAfter: { at: new Date(day(2).getTime() - 1), inclusive: false } }),
      ).toEqual([[2, 3, 4, 5], 4, false]);
    });

    it('orders by creation, change and name, what is equal by creation, and turns all of it round', async () => {
      expect((await search({ orderBy: 'created', descending: true }))[0]).toEqual([5, 4, 3, 2, 1]);
      expect((await search({ orderBy: 'modified' }))[0]).toEqual([5, 4, 2, 3, 1]);
      expect((await search({ orderBy: 'modified', descending: true }))[0]).toEqual([1, 3, 2, 4, 5]);
      expect((await search({ orderBy: 'name' }))[0]).toEqual([2, 3, 4, 1, 5]);
      expect((await search({ orderBy: 'name', descending: true }))[0]).toEqual([5, 1, 4, 3, 2]);
    });

    it('skips and stops, and tells how many there are and whether more follow', async () => {
      expect(await search({ limit: 2 })).toEqual([[1, 2], 5, true]);
      expect(await search({ limit: 2, offset: 3 })).toEqual([[4, 5], 5, false]);
      expect(await search({ limit: 2, offset: 9 })).toEqual([[], 5, false]);
      expect(await search({ limit: 0 })).toEqual([[], 5, true]);
      expect(await search({ limit: 1, offset: 1, orderBy: 'name', dialect: 'preo' })).toEqual([[4], 3, true]);
    });

    it('goes on after an id and back before one, in either direction, also when nothing has it any more', async () => {
      const beside = (side: 'before' | 'after', number: number) => ({
        beside: { side, id: sampleId(number) },
      });
      expect(await search({ ...beside('after', 2), limit: 2 })).toEqual([[3, 4], 5, true]);
      expect(await search({ ...beside('after', 2), limit: 2, descending: true })).toEqual([[1], 5, false]);
      expect(await search({ ...beside('before', 4), limit: 2 })).toEqual([[2, 3], 5, true]);
      expect(await search({ ...beside('before', 4), limit: 3 })).toEqual([[1, 2, 3], 5, false]);
      expect(await search({ ...beside('before', 2), limit: 2, descending: true })).toEqual([[4, 3], 5, true]);
      const third = await store().find(organisationId, sampleId(3));
      if (third !== null) await store().delete(third);
      expect(await search({ ...beside('after', 3) })).toEqual([[4, 5], 4, false]);
    });

    it('gives endpoints as they were written', async () => {
      const { endpoints } = await store().search({ ...everything, limit: 1 });
      expect(endpoints).toEqual([await store().find(organisationId, sampleId(1))]);
    });
  });

  describe('searching many', () => endpointSearchContract(stores));

  it('shows verifications that are open, oldest round first', async () => {
    const now = new Date('2026-01-02T00:00:00.000Z');
    const pending = (round: number, over: Partial<Endpoint> = {}): Partial<Endpoint> => ({
      dialect: 'xurrent',
      verification: 'pending',
      verificationId: sampleId(round),
      ...over,
    });
    await insert(1, pending(9));
    await insert(
      2,
      pending(8, { organisationId: sampleId(2), verificationExpiresAt: new Date(now.getTime() + 1) }),
    );
    await insert(3, pending(7, { verificationExpiresAt: now }));
    await insert(4, pending(6, { verification: 'passed' }));
    await insert(5, pending(5, { state: 'disabled' }));
    await insert(6, pending(4, { state: 'paused' }));
    await insert(7);
    expect(idsOf(await store().pendingVerifications(now, 10))).toEqual([6, 2, 1].map(sampleId));
    expect(idsOf(await store().pendingVerifications(now, 2))).toEqual([6, 2].map(sampleId));
    const first = await store().find(organisationId, sampleId(1));
    if (first !== null) await store().replace(changed(first, { verification: 'passed' }));
    expect(idsOf(await store().pendingVerifications(now, 10))).toEqual([6, 2].map(sampleId));
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
