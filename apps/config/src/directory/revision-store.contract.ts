import { sampleId, sampleOrganisation } from '../stores/sample-resources.harness.ts';
import type { ConfigStores } from '../stores/stores.ts';

/** How many changes the stores of this suite have to keep. */
export const contractMaxChanges = 5;

/** What every adapter of RevisionStore guarantees, with stores that keep `contractMaxChanges` changes. */
export function revisionStoreContract(stores: () => ConfigStores): void {
  const changesSince = (revision: number) => stores().revisions.changesSince(revision);
  const insert = (number: number) => stores().organisations.insert(sampleOrganisation(number));
  const touch = (number: number) => stores().organisations.update(sampleId(number), { name: 'touched' });

  it('begins at revision 0 with nothing changed', async () => {
    expect(await changesSince(0)).toEqual({ revision: 0, organisationIds: [], reset: false });
  });

  it('names each organisation that changed since once', async () => {
    for (const number of [1, 2]) await insert(number);
    const { revision } = await changesSince(0);
    for (const number of [2, 1, 2]) await touch(number);
    const changes = await changesSince(revision);
    expect(changes).toMatchObject({ revision: revision + 3, reset: false });
    expect([...changes.organisationIds].sort()).toEqual([sampleId(1), sampleId(2)]);
    expect((await changesSince(revision + 2)).organisationIds).toEqual([sampleId(2)]);
  });

  it('names nothing to whoever is up to date', async () => {
    await insert(1);
    expect(await changesSince(1)).toEqual({ revision: 1, organisationIds: [], reset: false });
  });

  it('tells whoever comes from further back than it reaches to start over', async () => {
    for (let number = 1; number <= contractMaxChanges + 1; number++) await insert(number);
    const revision = contractMaxChanges + 1;
    expect(await changesSince(0)).toEqual({ revision, organisationIds: [], reset: true });
    const oldest = await changesSince(1);
    expect(oldest).toMatchObject({ revision, reset: false });
    expect(oldest.organisationIds).toHaveLength(contractMaxChanges);
  });

  it('tells whoever is ahead of it to start over: the database is an older copy', async () => {
    await insert(1);
    expect(await changesSince(7)).toEqual({ revision: 1, organisationIds: [], reset: true });
  });

  it('gives every one of many concurrent writes a revision of its own', async () => {
    await Promise.all([1, 2, 3, 4, 5].map(insert));
    expect(await changesSince(0)).toMatchObject({ revision: 5, reset: false });
  });
}
