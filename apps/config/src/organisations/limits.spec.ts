import { configV1 } from '@posthorn/contracts';
import type { Principal } from '@posthorn/models';
import { operator, tenant, useHarness } from '../config.harness.ts';

describe('limits', () => {
  const harness = useHarness({ limits: { endpoints: 4 } });
  let organisationId: string;

  beforeEach(async () => {
    organisationId = await harness().organisation('acme');
  });

  async function limit(limits: Partial<configV1.UsageLimits>) {
    const organisation = configV1.Organisation.fromPartial({ limits });
    const answer = await harness().organisations.updateOrganisation(
      { idOrSlug: 'acme', organisation, updateMask: ['limits'] },
      { principal: operator },
    );
    return answer.organisation?.limits;
  }

  describe('of an organisation', () => {
    it('are none in the beginning, and replaced as a whole', async () => {
      const { organisation } = await harness().organisations.getOrganisation(
        { idOrSlug: 'acme' },
        { principal: operator },
      );
      expect(organisation?.limits).toEqual({ publishing: {}, endpoints: undefined });
      const first = { publishing: { publishesPerSecond: 1n, bytesPerDay: 3n }, endpoints: 4n };
      expect(await limit(first)).toEqual(first);
      expect(await limit({ endpoints: 0n })).toEqual({ publishing: {}, endpoints: 0n });
    });

    it('are shown to the services that judge by them', async () => {
      const limits = { publishing: { publishesPerDay: 2n }, endpoints: undefined };
      await limit(limits);
      const view = await harness().directory.getOrganisationView(
        { organisationId, cursor: '', omitEndpoints: true },
        { principal: { kind: 'service', id: 'event-ingest', organisationId: null, scopes: ['*'] } },
      );
      expect(view.organisation?.limits).toEqual(limits);
    });

    it('are refused where they make no sense, all at once', async () => {
      await expect(limit({ publishing: { publishesPerSecond: 0n }, endpoints: -1n })).rejects.toMatchObject({
        code: 'invalid_argument',
        violations: [{ field: '/limits/publishesPerSecond' }, { field: '/limits/endpoints' }],
      });
    });

    it('bound its endpoints, of many that are made at once as well', async () => {
      await limit({ endpoints: 2n });
      const made = await Promise.allSettled(
        Array.from({ length: 8 }, () => harness().endpoint(organisationId)),
      );
      expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
      await expect(harness().endpoint(organisationId)).rejects.toMatchObject({
        code: 'failed_precondition',
        message: expect.stringContaining('as many endpoints as it may have (2)') as string,
      });
      await limit({ endpoints: 3n });
      await harness().endpoint(organisationId);
      // What is there stays, although it is more than there may be.
      await limit({ endpoints: 1n });
      await expect(harness().endpoint(organisationId)).rejects.toMatchObject({ code: 'failed_precondition' });
    });

    it('allow no more endpoints than the deployment does', async () => {
      await limit({ endpoints: 100n });
      for (let made = 0; made < 4; made += 1) await harness().endpoint(organisationId);
      await expect(harness().endpoint(organisationId)).rejects.toMatchObject({ code: 'failed_precondition' });
    });
  });

  describe('of the deployment', () => {
    const standard = useHarness({ standardEndpoints: 1 });

    it('bound the endpoints of organisations that have no limit of their own', async () => {
      const id = await standard().organisation('acme');
      await standard().endpoint(id);
      await expect(standard().endpoint(id)).rejects.toMatchObject({ code: 'failed_precondition' });
      await standard().organisations.updateOrganisation(
        {
          idOrSlug: 'acme',
          organisation: configV1.Organisation.fromPartial({ limits: { endpoints: 2n } }),
          updateMask: ['limits'],
        },
        { principal: operator },
      );
      await standard().endpoint(id);
      await expect(standard().endpoint(id)).rejects.toMatchObject({ code: 'failed_precondition' });
    });
  });

  describe('of a key', () => {
    const limits = { publishesPerSecond: 1n, publishesPerDay: 2n, bytesPerDay: 3n };
    const all = (id: string): Principal => ({ ...tenant(id), scopes: ['*'] });

    async function create(principal: Principal, given?: configV1.PublishLimits) {
      const key = configV1.ApiKey.fromPartial({ name: 'k', scopes: ['events:write'], organisationId });
      const answer = await harness().keys.createKey({ key: { ...key, limits: given } }, { principal });
      if (answer.key === undefined) throw new Error('the answer shows no key');
      return answer.key;
    }
    const update = (principal: Principal, id: string, given: configV1.PublishLimits | undefined) =>
      harness().keys.updateKey(
        { id, organisationId, key: configV1.ApiKey.fromPartial({ limits: given }), updateMask: ['limits'] },
        { principal },
      );

    it('are written by operators, and shown', async () => {
      expect(await create(operator, limits)).toMatchObject({ limits });
      const { id } = await create(operator);
      expect((await update(operator, id, limits)).key).toMatchObject({ limits });
      expect((await update(operator, id, undefined)).key?.limits).toEqual({});
    });

    it('are written by nobody else, neither at creation nor later', async () => {
      await expect(create(all(organisationId), limits)).rejects.toMatchObject({ code: 'permission_denied' });
      const { id } = await create(all(organisationId));
      for (const given of [limits, undefined])
        await expect(update(all(organisationId), id, given)).rejects.toMatchObject({
          code: 'permission_denied',
        });
    });
  });
});
