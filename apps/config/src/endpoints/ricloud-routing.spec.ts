import { configV1 } from '@posthorn/contracts';
import { operator, tenant, useHarness } from '../config.harness.ts';

const { DIALECT_RICLOUD } = configV1.Dialect;

describe('the one ricloud endpoint that gets an event', () => {
  const harness = useHarness();
  let acme: string;
  let ricloud: string;
  let foreign: string;
  let plain: string;

  beforeEach(async () => {
    acme = await harness().organisation('acme');
    const globex = await harness().organisation('globex');
    ricloud = (await harness().endpoint(acme, { uid: 'mine', dialect: DIALECT_RICLOUD })).endpoint.id;
    foreign = (await harness().endpoint(globex, { dialect: DIALECT_RICLOUD })).endpoint.id;
    plain = (await harness().endpoint(acme)).endpoint.id;
  });

  const asOperator = { principal: operator };
  const setDefault = (defaultRicloudEndpoint: string | undefined) =>
    harness().organisations.updateOrganisation(
      {
        idOrSlug: 'acme',
        organisation: configV1.Organisation.fromPartial({ defaultRicloudEndpoint }),
        updateMask: ['default_ricloud_endpoint'],
      },
      asOperator,
    );
  const createKey = (routesTo: string | undefined, organisationId: string | undefined = acme) =>
    harness().keys.createKey(
      {
        key: configV1.ApiKey.fromPartial({ name: 'k', scopes: ['events:write'], organisationId, routesTo }),
        token: undefined,
      },
      asOperator,
    );

  it('is named by its organisation, by id or uid, and unnamed again', async () => {
    for (const name of [ricloud, 'mine']) {
      expect((await setDefault(name)).organisation?.defaultRicloudEndpoint).toBe(ricloud);
    }
    expect((await setDefault(undefined)).organisation?.defaultRicloudEndpoint).toBeUndefined();
  });

  it('is named by a key, which authentication then tells', async () => {
    const { key } = await createKey('mine');
    expect(key?.routesTo).toBe(ricloud);
    const request = { organisationId: acme, id: key?.id ?? '', updateMask: ['routes_to'] };
    const cleared = await harness().keys.updateKey(
      { ...request, key: configV1.ApiKey.fromPartial({}) },
      { principal: tenant(acme) },
    );
    expect(cleared.key?.routesTo).toBeUndefined();
  });

  it("is one of the organisation's own, of the dialect ricloud: others are refused like unknown ones", async () => {
    for (const name of [foreign, plain, 'unknown']) {
      await expect(setDefault(name)).rejects.toMatchObject({
        violations: [{ field: '/defaultRicloudEndpoint', code: 'not_found' }],
      });
      await expect(createKey(name)).rejects.toMatchObject({
        violations: [{ field: '/routesTo', code: 'not_found' }],
      });
    }
  });

  it('is none for an operator key, nor for an organisation that is only being made', async () => {
    const key = configV1.ApiKey.fromPartial({ name: 'k', scopes: ['*'], routesTo: ricloud });
    await expect(harness().keys.createKey({ key, token: undefined }, asOperator)).rejects.toMatchObject({
      violations: [{ field: '/routesTo' }],
    });
    const organisation = configV1.Organisation.fromPartial({ slug: 'new', defaultRicloudEndpoint: ricloud });
    await expect(
      harness().organisations.createOrganisation({ organisation }, asOperator),
    ).rejects.toMatchObject({ violations: [{ field: '/defaultRicloudEndpoint' }] });
  });
});
