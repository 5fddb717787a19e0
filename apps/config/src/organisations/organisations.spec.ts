import { configV1 } from '@posthorn/contracts';
import { operator, service, tenant, useHarness } from '../config.harness.ts';
import { sampleId } from '../stores/sample-resources.harness.ts';

type Given = Partial<configV1.Organisation>;
const message = (over: Given): configV1.Organisation => ({
  ...configV1.Organisation.fromPartial({}),
  ...over,
});
const as = { principal: operator };

describe('OrganisationService', () => {
  const harness = useHarness();
  const create = (over: Given) =>
    harness().organisations.createOrganisation({ organisation: message(over) }, as);
  const update = (idOrSlug: string, over: Given, updateMask: string[] | undefined) =>
    harness().organisations.updateOrganisation({ idOrSlug, organisation: message(over), updateMask }, as);

  it('gives defaults to whatever was not said', async () => {
    const { organisation } = await create({ slug: 'acme' });
    expect(organisation).toMatchObject({
      slug: 'acme',
      name: 'acme',
      timeZone: 'UTC',
      requireKnownTypes: false,
      retention: { payloadDays: 30, metadataDays: 90 },
      createdAt: new Date(harness().clock.now()),
    });
    expect(organisation?.accountUrl).toBeUndefined();
  });

  it('reports everything that is wrong at once', async () => {
    const wrong = {
      slug: 'No Slug',
      timeZone: 'Mars/Olympus',
      retention: { payloadDays: 9, metadataDays: 1 },
    };
    await expect(create(wrong)).rejects.toMatchObject({
      code: 'invalid_argument',
      violations: [{ field: '/slug' }, { field: '/timeZone' }, { field: '/retention/metadataDays' }],
    });
  });

  it('refuses a slug that is taken', async () => {
    await create({ slug: 'acme' });
    await expect(create({ slug: 'acme' })).rejects.toMatchObject({ code: 'already_exists' });
  });

  it('finds an organisation by its id and by its slug, for operators and services', async () => {
    const { organisation } = await create({ slug: 'acme' });
    for (const idOrSlug of ['acme', organisation?.id ?? '']) {
      for (const principal of [operator, service]) {
        expect(await harness().organisations.getOrganisation({ idOrSlug }, { principal })).toEqual({
          organisation,
        });
      }
    }
    await expect(harness().organisations.getOrganisation({ idOrSlug: 'other' }, as)).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  it('changes the fields that the mask names, clears those that are empty, and leaves the others', async () => {
    await create({ slug: 'acme', name: 'Acme', accountUrl: 'https://acme.example', requireKnownTypes: true });
    harness().clock.advance(1000);
    const given = { slug: 'emca', name: 'ignored' };
    const { organisation } = await update('acme', given, ['slug', 'account_url', 'retention']);
    expect(organisation).toMatchObject({ slug: 'emca', name: 'Acme', requireKnownTypes: true });
    expect(organisation?.accountUrl).toBeUndefined();
    expect(organisation?.updatedAt).toEqual(new Date(harness().clock.now()));
    expect(await harness().organisations.getOrganisation({ idOrSlug: 'emca' }, as)).toEqual({ organisation });
  });

  it('refuses a mask that is missing or names what nobody may write', async () => {
    await create({ slug: 'acme' });
    for (const mask of [undefined, ['id'], ['created_at'], ['branding.name']]) {
      await expect(update('acme', {}, mask)).rejects.toMatchObject({ code: 'invalid_argument' });
    }
  });

  it('lists newest first, page after page', async () => {
    for (const slug of ['a', 'b', 'c']) {
      await create({ slug });
      harness().clock.advance(1);
    }
    const first = await harness().organisations.listOrganisations({ limit: 2, cursor: '' }, as);
    const second = await harness().organisations.listOrganisations(
      { limit: 2, cursor: first.nextCursor },
      as,
    );
    const slugs = [...first.organisations, ...second.organisations].map(({ slug }) => slug);
    expect(slugs).toEqual(['c', 'b', 'a']);
    expect(second.nextCursor).toBe('');
  });

  it('deletes an organisation with its keys, event types and endpoints, and no other', async () => {
    const { organisations, keys, eventTypes, endpoints, directory } = harness();
    const [gone, kept] = [await harness().organisation('gone'), await harness().organisation('kept')];
    for (const organisationId of [gone, kept]) {
      await harness().endpoint(organisationId);
      const eventType = configV1.EventType.fromPartial({ organisationId, name: 'order.paid' });
      await eventTypes.putEventType({ eventType }, as);
      const key = configV1.ApiKey.fromPartial({ organisationId, name: 'k', scopes: ['*'] });
      await keys.createKey({ key, token: undefined }, as);
    }
    const { revision } = await directory.listChanges({ sinceRevision: 0n }, { principal: service });
    await organisations.deleteOrganisation({ idOrSlug: 'gone' }, as);

    const view = (organisationId: string) =>
      directory.getOrganisationView(
        { organisationId, cursor: '', omitEndpoints: false },
        { principal: service },
      );
    await expect(view(gone)).rejects.toMatchObject({ code: 'not_found' });
    expect(await view(kept)).toMatchObject({ endpoints: [{}], eventTypes: [{}] });
    const { keys: left } = await keys.listKeys({ organisationId: undefined, limit: 0, cursor: '' }, as);
    expect(left.map(({ organisationId }) => organisationId)).toEqual([kept]);
    const changes = await directory.listChanges({ sinceRevision: revision }, { principal: service });
    expect(changes).toMatchObject({ organisationIds: [gone], reset: false });
    await expect(
      endpoints.listEndpoints({ organisationId: gone, limit: 0, cursor: '', state: 0 }, as),
    ).rejects.toMatchObject({ code: 'not_found' });
    await expect(organisations.deleteOrganisation({ idOrSlug: 'gone' }, as)).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  it('deletes what requests of the organisation were answered', async () => {
    const { idempotency, organisations } = harness();
    const request = {
      owner: await harness().organisation('gone'),
      key: 'once',
      digest: new Uint8Array(32).fill(1),
    };
    const { reservation } = await idempotency.reserve(request, { principal: service });
    const answer = { status: 201, headers: {}, body: Buffer.from('a description') };
    await idempotency.complete({ ...request, reservation, answer }, { principal: service });
    await organisations.deleteOrganisation({ idOrSlug: 'gone' }, as);
    expect(await idempotency.reserve(request, { principal: service })).toMatchObject({ answer: undefined });
  });

  it('deletes what takes more than one step', async () => {
    const id = await harness().organisation('large');
    for (let index = 0; index < 300; index++) {
      const eventType = configV1.EventType.fromPartial({ organisationId: id, name: `type-${index}` });
      await harness().eventTypes.putEventType({ eventType }, as);
    }
    await harness().organisations.deleteOrganisation({ idOrSlug: 'large' }, as);
    await expect(harness().organisations.getOrganisation({ idOrSlug: id }, as)).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  it('is closed to keys of organisations, whether the organisation exists or not', async () => {
    const own = await harness().organisation('own');
    const principal = tenant(own);
    const { organisations } = harness();
    const calls = ['own', own, sampleId(9)].flatMap((idOrSlug) => [
      () => organisations.getOrganisation({ idOrSlug }, { principal }),
      () =>
        organisations.updateOrganisation(
          { idOrSlug, organisation: message({}), updateMask: [] },
          { principal },
        ),
      () => organisations.deleteOrganisation({ idOrSlug }, { principal }),
      () => organisations.listOrganisations({ limit: 0, cursor: '' }, { principal }),
      () => organisations.createOrganisation({ organisation: message({ slug: 'new' }) }, { principal }),
    ]);
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'permission_denied' });
  });
});
