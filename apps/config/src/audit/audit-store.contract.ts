import { newId, type AuditRecord } from '@posthorn/models';
import { createSeededRandom } from '@posthorn/testing';
import type { AuditSearch } from './audit-store.ts';
import type { ConfigStores } from '../stores/stores.ts';

const start = Date.parse('2026-02-01T00:00:00.000Z');
const random = createSeededRandom(3);

function record(atMs: number, over: Partial<AuditRecord> = {}): AuditRecord {
  return {
    id: newId(start + atMs, (count) => random.bytes(count)),
    occurredAt: new Date(start + atMs),
    organisationId: 'o1',
    actor: { kind: 'key', id: 'k1', name: 'shop “ü”', isOperator: false },
    action: 'endpoint.update',
    resourceId: 'shop',
    changedFields: ['url', 'headers'],
    result: 'unknown',
    errorCode: null,
    address: '203.0.113.9',
    userAgent: 'curl/8',
    requestId: 'r1',
    ...over,
  };
}

const everything: AuditSearch = {
  organisationId: null,
  actorId: null,
  action: null,
  resourceId: null,
  result: null,
  after: null,
  before: null,
  beforeId: null,
  limit: 100,
};

/** What every adapter of AuditStore guarantees. `stores` gives empty stores for each test. */
export function auditStoreContract(stores: () => ConfigStores): void {
  const store = () => stores().audit;
  const idsOf = async (search: Partial<AuditSearch>): Promise<readonly string[]> =>
    (await store().list({ ...everything, ...search })).map(({ id }) => id);

  it('keeps a record as it was written', async () => {
    const written = record(0);
    const bare = record(1, {
      organisationId: null,
      resourceId: null,
      address: null,
      userAgent: null,
      changedFields: [],
      actor: { kind: 'service', id: 'dispatcher', name: null, isOperator: false },
    });
    await store().begin(written);
    await store().begin(bare);
    expect(await store().list(everything)).toEqual([bare, written]);
  });

  it('adds a record once, however often it is told', async () => {
    const written = record(0);
    await store().begin(written);
    await store().begin({ ...written, action: 'endpoint.delete' });
    expect(await store().list(everything)).toEqual([written]);
  });

  it('is told the end of an action once, and never again', async () => {
    const one = record(0);
    const other = record(1);
    await store().begin(one);
    await store().begin(other);
    await store().end(one.id, { result: 'ok', errorCode: null, resourceId: 'the-id' });
    await store().end(one.id, { result: 'failed', errorCode: 'internal', resourceId: 'another' });
    await store().end(other.id, { result: 'refused', errorCode: 'permission_denied', resourceId: null });
    await store().end('nothing', { result: 'ok', errorCode: null, resourceId: null });
    expect(await store().list(everything)).toEqual([
      { ...other, result: 'refused', errorCode: 'permission_denied' },
      { ...one, result: 'ok', resourceId: 'the-id' },
    ]);
    expect(await idsOf({ resourceId: 'the-id' })).toEqual([one.id]);
  });

  it('finds by organisation, actor, action, resource, result and time, alone and together', async () => {
    const mine = record(1_000);
    const theirs = record(2_000, {
      organisationId: 'o2',
      actor: { kind: 'token', id: 'alice', name: null, isOperator: false },
    });
    const operators = record(3_000, { organisationId: null, action: 'key.create', resourceId: null });
    for (const one of [mine, theirs, operators]) await store().begin(one);
    await store().end(operators.id, { result: 'ok', errorCode: null, resourceId: 'k9' });
    expect(await idsOf({})).toEqual([operators.id, theirs.id, mine.id]);
    expect(await idsOf({ organisationId: 'o2' })).toEqual([theirs.id]);
    expect(await idsOf({ actorId: 'k1' })).toEqual([operators.id, mine.id]);
    expect(await idsOf({ action: 'endpoint.update' })).toEqual([theirs.id, mine.id]);
    expect(await idsOf({ resourceId: 'k9' })).toEqual([operators.id]);
    expect(await idsOf({ result: 'ok' })).toEqual([operators.id]);
    expect(await idsOf({ action: 'endpoint.update', actorId: 'k1', organisationId: 'o1' })).toEqual([
      mine.id,
    ]);
    expect(await idsOf({ organisationId: 'o1', actorId: 'alice' })).toEqual([]);
    const between = { after: new Date(start + 1_000), before: new Date(start + 3_000) };
    expect(await idsOf(between)).toEqual([theirs.id]);
  });

  it('goes on behind the last of a page while new ones arrive', async () => {
    const [one, two, three] = [record(1), record(2), record(3)] as const;
    for (const each of [one, two, three]) await store().begin(each);
    expect(await idsOf({ limit: 2 })).toEqual([three.id, two.id]);
    await store().begin(record(4));
    expect(await idsOf({ limit: 2, beforeId: two.id })).toEqual([one.id]);
  });

  it('removes what is older than a time, the oldest first, and nothing else', async () => {
    const records = [record(0), record(1), record(2), record(3)];
    for (const each of records) await store().begin(each);
    const end = new Date(start + 3);
    expect(await store().sweep(end, 2)).toBe(2);
    expect(await idsOf({})).toEqual([records[3]?.id, records[2]?.id]);
    expect(await store().sweep(end, 2)).toBe(1);
    expect(await store().sweep(end, 2)).toBe(0);
    expect(await idsOf({})).toEqual([records[3]?.id]);
  });
}
