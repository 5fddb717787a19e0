import { configV1 } from '@posthorn/contracts';
import { operator, service, tenant, useHarness } from '../config.harness.ts';
import { sampleEventType } from '../stores/sample-resources.harness.ts';
import { openTemporaryStores } from '../stores/temporary-stores.harness.ts';

describe('DirectoryService', () => {
  const harness = useHarness({ limits: { endpoints: 2000, eventTypes: 2000 } });
  const as = { principal: service };
  const changesSince = (sinceRevision: bigint) => harness().directory.listChanges({ sinceRevision }, as);
  const view = (organisationId: string, cursor = '', omitEndpoints = false) =>
    harness().directory.getOrganisationView({ organisationId, cursor, omitEndpoints }, as);

  /** All pages of a view. */
  async function wholeView(organisationId: string, omitEndpoints = false) {
    const pages: configV1.GetOrganisationViewResponse[] = [];
    let cursor = '';
    do {
      const page = await view(organisationId, cursor, omitEndpoints);
      pages.push(page);
      cursor = page.nextCursor;
    } while (cursor !== '');
    return pages;
  }

  async function putType(organisationId: string, name: string, over: Partial<configV1.EventType> = {}) {
    const eventType = { ...configV1.EventType.fromPartial({ organisationId, name }), ...over };
    await harness().eventTypes.putEventType({ eventType }, { principal: operator });
  }

  it('is closed to keys, those of operators too', async () => {
    const organisationId = await harness().organisation('acme');
    for (const principal of [operator, tenant(organisationId)]) {
      await expect(
        harness().directory.listChanges({ sinceRevision: 0n }, { principal }),
      ).rejects.toMatchObject({ code: 'permission_denied' });
      await expect(
        harness().directory.getOrganisationView(
          { organisationId, cursor: '', omitEndpoints: false },
          { principal },
        ),
      ).rejects.toMatchObject({ code: 'permission_denied' });
    }
  });

  it('names every write of an organisation, an event type or an endpoint', async () => {
    const organisationId = await harness().organisation('acme');
    const { endpoint } = await harness().endpoint(organisationId, { uid: 'mine' });
    const target = { organisationId, idOrUid: 'mine', expectedVersion: undefined };
    const { endpoints, organisations, eventTypes } = harness();
    const paused = configV1.EndpointState.ENDPOINT_STATE_PAUSED;
    const writes: (() => Promise<unknown>)[] = [
      () => putType(organisationId, 'a'),
      () =>
        eventTypes.updateEventType(
          {
            eventType: configV1.EventType.fromPartial({ organisationId, name: 'a' }),
            updateMask: ['retired'],
          },
          { principal: operator },
        ),
      () => eventTypes.deleteEventType({ organisationId, name: 'a' }, { principal: operator }),
      () => harness().endpoint(organisationId),
      () => endpoints.updateEndpoint({ ...target, endpoint, updateMask: ['name'] }, { principal: operator }),
      () => endpoints.setEndpointState({ ...target, state: paused, reason: '' }, as),
      () =>
        endpoints.rotateSecret(
          { ...target, overlapMs: undefined, secret: undefined },
          { principal: operator },
        ),
      () => endpoints.deleteEndpoint(target, { principal: operator }),
      () =>
        organisations.updateOrganisation(
          {
            idOrSlug: 'acme',
            organisation: configV1.Organisation.fromPartial({}),
            updateMask: ['account_url'],
          },
          { principal: operator },
        ),
      () => organisations.deleteOrganisation({ idOrSlug: 'acme' }, { principal: operator }),
    ];
    for (const write of writes) {
      const { revision } = await changesSince(0n);
      await write();
      const changes = await changesSince(revision);
      expect(changes).toMatchObject({ organisationIds: [organisationId], reset: false });
      expect(changes.revision).toBeGreaterThan(revision);
    }
  });

  it('does not name an organisation of which only keys changed', async () => {
    const organisationId = await harness().organisation('acme');
    const { revision } = await changesSince(0n);
    const key = configV1.ApiKey.fromPartial({ organisationId, name: 'k', scopes: ['*'] });
    await harness().keys.createKey({ key, token: undefined }, { principal: operator });
    expect((await changesSince(revision)).organisationIds).toEqual([]);
  });

  it('shows the secrets that sign now, and header values in the clear', async () => {
    const organisationId = await harness().organisation('acme');
    const headers = { Authorization: 'Bearer top-secret' };
    const { secrets } = await harness().endpoint(organisationId, { headers });
    const { organisation, endpoints } = await view(organisationId);
    expect(organisation?.slug).toBe('acme');
    expect(endpoints).toHaveLength(1);
    expect(endpoints[0]).toMatchObject({ endpoint: { headers }, secrets: [{ secret: secrets[0]?.secret }] });
  });

  it('leaves the endpoints out for those who need no secrets', async () => {
    const organisationId = await harness().organisation('acme');
    await harness().endpoint(organisationId);
    await putType(organisationId, 'a');
    expect(await view(organisationId, '', true)).toMatchObject({
      eventTypes: [{ name: 'a' }],
      endpoints: [],
      nextCursor: '',
    });
  });

  it('shows every event type and endpoint once, in pages of at most 500', async () => {
    const organisationId = await harness().organisation('acme');
    await Promise.all(Array.from({ length: 320 }, (_, index) => putType(organisationId, `type-${index}`)));
    await Promise.all(Array.from({ length: 700 }, () => harness().endpoint(organisationId)));
    const pages = await wholeView(organisationId);
    const sizes = pages.map(({ eventTypes, endpoints }) => eventTypes.length + endpoints.length);
    expect(sizes).toEqual([500, 500, 20]);
    expect(new Set(pages.flatMap(({ eventTypes }) => eventTypes.map(({ name }) => name))).size).toBe(320);
    expect(new Set(pages.flatMap(({ endpoints }) => endpoints.map((each) => each.endpoint?.id))).size).toBe(
      700,
    );
  });

  it('ends a page before it grows beyond a megabyte', async () => {
    const organisationId = await harness().organisation('acme');
    const schemaJson = JSON.stringify({ description: 'x'.repeat(60_000) });
    for (let index = 0; index < 40; index++) await putType(organisationId, `type-${index}`, { schemaJson });
    const pages = await wholeView(organisationId, true);
    const sizes = pages.map((page) => configV1.GetOrganisationViewResponse.encode(page).finish().length);
    expect(pages.flatMap(({ eventTypes }) => eventTypes)).toHaveLength(40);
    expect(Math.max(...sizes)).toBeLessThan(1.1 * 1024 * 1024);
    expect(pages).toHaveLength(3);
  });

  it('refuses a cursor that is not one of ours', async () => {
    const organisationId = await harness().organisation('acme');
    await expect(view(organisationId, 'bm9uc2Vuc2U')).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it('knows no organisation by its slug', async () => {
    await harness().organisation('acme');
    await expect(view('acme')).rejects.toMatchObject({ code: 'not_found' });
  });
});

it('answers ListChanges from the embedded store in microseconds', async () => {
  const { stores, close } = await openTemporaryStores();
  await stores.eventTypes.put(sampleEventType('a'), 10);
  const { revision } = await stores.revisions.changesSince(0);
  const rounds = 5000;
  let bestUs = Infinity;
  for (let run = 0; run < 5; run++) {
    const start = performance.now();
    for (let round = 0; round < rounds; round++) await stores.revisions.changesSince(revision);
    bestUs = Math.min(bestUs, ((performance.now() - start) * 1000) / rounds);
  }
  await close();
  // The budget is 20; what is measured here is 2 to 4, and the machine may be busy.
  expect(bestUs).toBeLessThan(20);
});
