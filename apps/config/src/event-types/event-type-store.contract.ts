import { sampleEventType, sampleId } from '../stores/sample-resources.harness.ts';
import type { ConfigStores } from '../stores/stores.ts';

/** What every adapter of EventTypeStore guarantees. `stores` gives empty stores for each test. */
export function eventTypeStoreContract(stores: () => ConfigStores): void {
  const store = () => stores().eventTypes;
  const organisationId = sampleId(1);
  const later = new Date('2026-06-01T00:00:00.000Z');

  it('makes a type, then replaces it whole and keeps when it was made', async () => {
    const first = sampleEventType('order.paid', { description: 'one', schemaJson: '{"type":"object"}' });
    expect(await store().put(first, 10)).toEqual({ eventType: first, created: true });
    const second = sampleEventType('order.paid', { createdAt: later, updatedAt: later });
    const expected = { ...second, createdAt: first.createdAt };
    expect(await store().put(second, 10)).toEqual({ eventType: expected, created: false });
    expect(await store().find(organisationId, 'order.paid')).toEqual(expected);
  });

  it('keeps the types of organisations apart', async () => {
    await store().put(sampleEventType('order.paid'), 10);
    expect(await store().find(sampleId(2), 'order.paid')).toBeNull();
    expect(await store().update(sampleId(2), 'order.paid', { retired: true })).toBeNull();
    expect(await store().delete(sampleId(2), 'order.paid')).toBe(false);
    expect(await store().list({ organisationId: sampleId(2), limit: 10, after: null })).toEqual([]);
  });

  it('refuses one type more than an organisation may have, but not a replacement', async () => {
    await store().put(sampleEventType('a'), 2);
    await store().put(sampleEventType('b'), 2);
    await expect(store().put(sampleEventType('c'), 2)).rejects.toMatchObject({ code: 'failed_precondition' });
    await store().put(sampleEventType('b'), 2);
    await store().put(sampleEventType('c', { organisationId: sampleId(2) }), 2);
  });

  it('lists newest first, equally old ones by name, page after page', async () => {
    await store().put(sampleEventType('b'), 10);
    await store().put(sampleEventType('new', { createdAt: later }), 10);
    await store().put(sampleEventType('a'), 10);
    const first = await store().list({ organisationId, limit: 2, after: null });
    expect(first.map(({ name }) => name)).toEqual(['new', 'b']);
    const second = await store().list({ organisationId, limit: 2, after: first[1] ?? null });
    expect(second.map(({ name }) => name)).toEqual(['a']);
  });

  it('replaces the named fields and leaves the others', async () => {
    await store().put(sampleEventType('a', { description: 'kept' }), 10);
    const changes = { retired: true, updatedAt: later };
    const expected = sampleEventType('a', { description: 'kept', ...changes });
    expect(await store().update(organisationId, 'a', changes)).toEqual(expected);
    expect(await store().find(organisationId, 'a')).toEqual(expected);
  });

  it('deletes one, or those of an organisation in steps, and no others', async () => {
    for (const name of ['a', 'b', 'c']) await store().put(sampleEventType(name), 10);
    await store().put(sampleEventType('a', { organisationId: sampleId(2) }), 10);
    expect(await store().delete(organisationId, 'a')).toBe(true);
    expect(await store().delete(organisationId, 'a')).toBe(false);
    expect(await store().deleteSome(organisationId, 1)).toBe(1);
    expect(await store().deleteSome(organisationId, 5)).toBe(1);
    expect(await store().deleteSome(organisationId, 5)).toBe(0);
    expect(await store().find(sampleId(2), 'a')).not.toBeNull();
  });

  it('has every write in the list of changes by the time it is answered', async () => {
    const writes = [
      () => store().put(sampleEventType('a'), 10),
      () => store().put(sampleEventType('a'), 10),
      () => store().update(organisationId, 'a', { retired: true }),
      () => store().delete(organisationId, 'a'),
    ];
    for (const write of writes) {
      const { revision } = await stores().revisions.changesSince(0);
      await write();
      const changes = await stores().revisions.changesSince(revision);
      expect(changes).toEqual({ revision: revision + 1, organisationIds: [organisationId], reset: false });
    }
  });
}
