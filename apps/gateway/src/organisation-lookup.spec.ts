import type { Principal } from '@posthorn/models';
import { FakeClock } from '@posthorn/testing';
import { createOrganisationLookup, type NamedOrganisation } from './organisation-lookup.ts';
import { acme, fakeClients, globex } from './testing/fake-services.harness.ts';

const lookup = createOrganisationLookup(fakeClients().organisations, new FakeClock());
const principal = (organisationId: string | null): Principal => ({
  kind: 'key',
  id: 'k',
  organisationId,
  scopes: ['*'],
});
const tenant = principal(acme.id);
const operator = principal(null);

const resolve = async (who: Principal, named: NamedOrganisation): Promise<string | null> =>
  lookup.find(who, named);

test('a tenant’s own is known without asking, named or not', () => {
  expect(lookup.find(tenant, {})).toBe(acme.id);
  expect(lookup.find(tenant, { inHeader: acme.id, inBody: acme.id })).toBe(acme.id);
});

test('an operator that names none acts for none', () => {
  expect(lookup.find(operator, {})).toBeNull();
});

test.each([
  [tenant, { inHeader: 'acme' }, acme.id],
  [tenant, { inBody: 'acme' }, acme.id],
  [operator, { inHeader: 'globex' }, globex.id],
  [operator, { inBody: globex.id }, globex.id],
  [operator, { inHeader: globex.id, inBody: 'globex' }, globex.id],
])('%j naming %j acts for %s', async (who, named, id) => {
  expect(await resolve(who, named)).toBe(id);
});

test.each([
  [tenant, { inHeader: 'globex' }],
  [tenant, { inHeader: 'acme', inBody: globex.id }],
  [tenant, { inBody: 'nobody' }],
  [operator, { inBody: 'nobody' }],
  [operator, { inHeader: '../acme' }],
  [operator, { inHeader: '' }],
])('%j naming %j finds nothing', async (who, named) => {
  await expect(resolve(who, named)).rejects.toMatchObject({ code: 'not_found' });
});

test('for a tenant only its own is looked up, so that nobody can time which names others have', async () => {
  const { organisations } = fakeClients();
  const asked: string[] = [];
  const watched = createOrganisationLookup(
    {
      ...organisations,
      getOrganisation: (request, options) => {
        asked.push(request.idOrSlug);
        return organisations.getOrganisation(request, options);
      },
    },
    new FakeClock(),
  );
  for (const inHeader of ['globex', globex.id, 'nobody', 'acme']) {
    await Promise.resolve(watched.find(tenant, { inHeader })).catch(() => undefined);
  }
  expect(asked).toEqual([acme.id]);
});

test('two that differ are refused where the body says which', async () => {
  await expect(
    resolve(operator, { inHeader: 'acme', inBody: 'globex', bodyField: '/events/3/organisation' }),
  ).rejects.toMatchObject({
    code: 'invalid_argument',
    violations: [{ field: '/events/3/organisation', code: 'conflict' }],
  });
});

test('a name that an operator gave to another organisation means that one, once it is told so', async () => {
  const clients = fakeClients();
  let id: string = acme.id;
  const moving = createOrganisationLookup(
    {
      ...clients.organisations,
      getOrganisation: async (request, options) => {
        const { organisation } = await clients.organisations.getOrganisation(
          { ...request, idOrSlug: id },
          options,
        );
        return { organisation };
      },
    },
    new FakeClock(),
  );
  expect(await moving.find(operator, { inHeader: 'acme' })).toBe(acme.id);
  id = globex.id;
  expect(await moving.find(operator, { inHeader: 'acme' })).toBe(acme.id);
  moving.forget();
  expect(await moving.find(operator, { inHeader: 'acme' })).toBe(globex.id);
});
