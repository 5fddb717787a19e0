import { configV1 } from '@posthorn/contracts';
import type { Principal } from '@posthorn/models';
import { operator, tenant, useHarness, violatedFields } from '../config.harness.ts';

const { DIALECT_PREO, DIALECT_RICLOUD } = configV1.Dialect;
const { ENDPOINT_ORDER_NAME } = configV1.EndpointOrder;

describe('SearchEndpoints', () => {
  const harness = useHarness();
  let acme: string;
  let globex: string;

  beforeEach(async () => {
    acme = await harness().organisation('acme');
    globex = await harness().organisation('globex');
    for (const [uid, organisationId, dialect] of [
      ['a', acme, DIALECT_PREO],
      ['b', acme, DIALECT_RICLOUD],
      ['c', globex, DIALECT_PREO],
    ] as const) {
      await harness().endpoint(organisationId, { uid, dialect });
      harness().clock.advance(1000);
    }
  });

  const search = (over: Partial<configV1.SearchEndpointsRequest> = {}, principal: Principal = operator) =>
    harness().endpoints.searchEndpoints(
      { ...configV1.SearchEndpointsRequest.fromPartial({ limit: 10 }), ...over },
      { principal },
    );
  const uids = async (...asked: Parameters<typeof search>): Promise<(string | undefined)[]> =>
    (await search(...asked)).endpoints.map(({ endpoint }) => endpoint?.uid);

  it('finds those of all organisations for operators, and of its own for a key of one', async () => {
    expect(await uids()).toEqual(['a', 'b', 'c']);
    expect(await uids({}, tenant(acme))).toEqual(['a', 'b']);
    expect(await uids({ organisationIds: [globex] })).toEqual(['c']);
    expect(await uids({ organisationIds: [acme, globex], dialect: DIALECT_PREO })).toEqual(['a', 'c']);
  });

  it("answers for another tenant's organisation like for one that does not exist, and never from it", async () => {
    const refused = search({ organisationIds: [acme, globex] }, tenant(acme));
    await expect(refused).rejects.toMatchObject({ code: 'not_found' });
    const unknown = search({ organisationIds: ['01900000-0000-4000-8000-000000000009'] }, tenant(acme));
    await expect(unknown).rejects.toEqual(await refused.catch((error: unknown) => error));
  });

  it('counts all that match, and tells whether there are more', async () => {
    expect(await search({ limit: 1, descending: true })).toMatchObject({
      endpoints: [{ endpoint: { uid: 'c' } }],
      total: 3n,
      hasMore: true,
    });
    expect(await search({ limit: 0 })).toMatchObject({ endpoints: [], total: 3n, hasMore: true });
  });

  it('goes on after an endpoint and back before it', async () => {
    const { endpoints } = await search();
    const [, b] = endpoints.map(({ endpoint }) => endpoint?.id ?? '');
    expect(await uids({ afterId: b ?? '' })).toEqual(['c']);
    expect(await uids({ beforeId: b ?? '' })).toEqual(['a']);
  });

  it('shows the secrets that sign when they are asked for, and never otherwise', async () => {
    const shown = await search({ includeSecrets: true });
    expect(shown.endpoints.map(({ secrets }) => secrets.length)).toEqual([1, 1, 1]);
    expect((await search()).endpoints.flatMap(({ secrets }) => secrets)).toEqual([]);
  });

  it('shows everything that is wrong at once', async () => {
    const wrong = {
      limit: 1001,
      offset: -1,
      beforeId: 'x',
      afterId: '01900000-0000-4000-8000-000000000009',
      orderBy: ENDPOINT_ORDER_NAME,
    };
    expect(await violatedFields(search(wrong))).toEqual([
      '/afterId',
      '/beforeId',
      '/beforeId',
      '/beforeId',
      '/limit',
      '/offset',
    ]);
    expect(await violatedFields(search({ dialect: 99 as configV1.Dialect }))).toEqual(['/dialect']);
  });
});
