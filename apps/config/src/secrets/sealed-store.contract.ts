import { createKeyring } from './keyring.ts';
import { sampleEndpoint, sampleId, samplePolicy } from '../stores/sample-resources.harness.ts';
import type { SealedPage, SealedRecord } from './sealed-store.ts';
import { createSecretBox } from './secret-box.ts';
import type { ConfigStores } from '../stores/stores.ts';

/** What every adapter of SealedStore guarantees. `stores` gives empty stores for each test. */
export function sealedStoreContract(stores: () => ConfigStores): void {
  const store = () => stores().sealed;
  const keyrings = [1, 2].map((byte) => createKeyring([new Uint8Array(32).fill(byte)]));
  const [oldId = '', newId = ''] = keyrings.map(({ sealing }) => sealing.id);
  const boxOf = (keyId: string, text = 'x'): string => {
    const keyring = keyrings.find(({ sealing }) => sealing.id === keyId);
    if (keyring === undefined) throw new Error('there is no such key');
    return createSecretBox(keyring, (length) => new Uint8Array(length)).seal(text, '');
  };
  const insertEndpoint = (number: number, keyId: string, organisation = 1) =>
    stores().endpoints.insert(
      { ...sampleEndpoint(number, { organisationId: sampleId(organisation) }), sealed: boxOf(keyId) },
      100,
    );
  const insertPolicy = (number: number, keyId: string, organisation = 1) =>
    stores().policies.insert(
      { ...samplePolicy(number, { organisationId: sampleId(organisation) }), sealed: boxOf(keyId) },
      100,
    );
  const all: SealedPage = { kind: 'endpoint', exceptKeyId: newId, beforeNumber: null, limit: 100 };
  const idsOf = (found: readonly SealedRecord[]): readonly string[] => found.map(({ id }) => id);

  it('counts the boxes of all organisations by the key that sealed them', async () => {
    expect(await store().countByKey()).toEqual(new Map());
    await insertEndpoint(1, oldId);
    await insertEndpoint(2, newId, 2);
    await insertPolicy(3, oldId, 3);
    expect(await store().countByKey()).toEqual(
      new Map([
        [oldId, 2],
        [newId, 1],
      ]),
    );
  });

  it('lists what another key sealed, of one kind, newest first and page after page', async () => {
    for (const number of [1, 2, 3, 4, 5]) await insertEndpoint(number, number === 3 ? newId : oldId, number);
    await insertPolicy(6, oldId);
    const first = await store().list({ ...all, limit: 2 });
    expect(idsOf(first)).toEqual([5, 4].map(sampleId));
    expect(first[0]).toMatchObject({
      kind: 'endpoint',
      organisationId: sampleId(5),
      sealed: boxOf(oldId),
      writes: 1,
    });
    const rest = await store().list({ ...all, beforeNumber: first[1]?.number ?? null });
    expect(idsOf(rest)).toEqual([2, 1].map(sampleId));
    expect(idsOf(await store().list({ ...all, exceptKeyId: oldId }))).toEqual([sampleId(3)]);
    expect(idsOf(await store().list({ ...all, kind: 'policy' }))).toEqual([sampleId(6)]);
    expect(await store().list({ ...all, kind: 'policy', exceptKeyId: oldId })).toEqual([]);
  });

  it('reseals what nobody wrote since it was read, changes nothing else, and tells nobody', async () => {
    const endpoint = await insertEndpoint(1, oldId);
    const policy = await insertPolicy(2, oldId);
    const { revision } = await stores().revisions.changesSince(0);
    for (const kind of ['endpoint', 'policy'] as const) {
      const [record] = await store().list({ ...all, kind });
      expect(record && (await store().reseal(record, boxOf(newId)))).toBe(true);
      // Once: what it has read is no longer there.
      expect(record && (await store().reseal(record, boxOf(oldId)))).toBe(false);
    }
    const organisationId = sampleId(1);
    expect(await stores().endpoints.find(organisationId, sampleId(1))).toEqual({
      ...endpoint,
      sealed: boxOf(newId),
      writes: 2,
    });
    expect(await stores().policies.find(organisationId, sampleId(2))).toEqual({
      ...policy,
      sealed: boxOf(newId),
      writes: 2,
    });
    expect((await stores().revisions.changesSince(0)).revision).toBe(revision);
  });

  it('loses no rotation of a secret that comes in between, in either order', async () => {
    const first = await insertEndpoint(1, oldId);
    const second = await insertEndpoint(2, oldId);
    const [recordOfSecond, recordOfFirst] = await store().list(all);
    if (recordOfFirst === undefined || recordOfSecond === undefined) throw new Error('they are not there');
    const rotated = boxOf(newId, 'a secret of the owner');
    // The owner first: the resealing comes too late.
    expect(await stores().endpoints.replace({ ...first, sealed: rotated })).not.toBeNull();
    expect(await store().reseal(recordOfFirst, boxOf(newId))).toBe(false);
    expect(await stores().endpoints.find(sampleId(1), sampleId(1))).toMatchObject({ sealed: rotated });
    // The resealing first: the owner has to look again, and can't put the old box back.
    expect(await store().reseal(recordOfSecond, boxOf(newId))).toBe(true);
    expect(await stores().endpoints.replace(second)).toBeNull();
  });

  it('knows of what was deleted that it is gone', async () => {
    const stored = await insertEndpoint(1, oldId);
    const [record] = await store().list(all);
    await stores().endpoints.delete(stored);
    expect(record && (await store().reseal(record, boxOf(newId)))).toBe(false);
    expect(await store().countByKey()).toEqual(new Map());
  });
}
