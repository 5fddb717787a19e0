import { configV1 } from '@posthorn/contracts';
import { service, tenant, useHarness } from '../config.harness.ts';
import { maskedValue } from './endpoint-secrets.ts';

const { SIGNATURE_SCHEME_V1, SIGNATURE_SCHEME_V1A } = configV1.SignatureScheme;
const bothSchemes = [SIGNATURE_SCHEME_V1, SIGNATURE_SCHEME_V1A];
const givenSecret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const dayMs = 24 * 60 * 60 * 1000;

type Given = Partial<configV1.Endpoint>;

describe('what is secret about an endpoint', () => {
  const harness = useHarness();
  let organisationId: string;

  beforeEach(async () => {
    organisationId = await harness().organisation('acme');
  });

  const as = () => ({ principal: tenant(organisationId) });
  const create = (over: Given) => harness().endpoint(organisationId, over);
  const update = (idOrUid: string, over: Given, updateMask: string[]) => {
    const endpoint = { ...configV1.Endpoint.fromPartial({}), ...over };
    return harness().endpoints.updateEndpoint(
      { organisationId, idOrUid, endpoint, updateMask, expectedVersion: undefined },
      as(),
    );
  };
  const get = async (idOrUid: string): Promise<configV1.Endpoint | undefined> =>
    (await harness().endpoints.getEndpoint({ organisationId, idOrUid }, as())).endpoint;
  const secretsOf = async (idOrUid: string): Promise<configV1.Secret[]> =>
    (await harness().endpoints.listSecrets({ organisationId, idOrUid }, as())).secrets;
  const signing = async (): Promise<configV1.SigningEndpoint[]> => {
    const request = { organisationId, cursor: '', omitEndpoints: false };
    return (await harness().directory.getOrganisationView(request, { principal: service })).endpoints;
  };

  describe('custom headers', () => {
    const headers = { Authorization: 'Bearer top-secret', 'X-Tenant': 'acme' };
    const masked = { Authorization: maskedValue, 'X-Tenant': maskedValue };

    it('are masked in every answer, and in the clear for the dispatcher', async () => {
      const { endpoint } = await create({ uid: 'mine', headers });
      expect(endpoint?.headers).toEqual(masked);
      expect((await get('mine'))?.headers).toEqual(masked);
      expect((await update('mine', { name: 'n' }, ['name'])).endpoint?.headers).toEqual(masked);
      const { endpoints } = await harness().endpoints.listEndpoints(
        { organisationId, limit: 0, cursor: '', state: 0 },
        as(),
      );
      expect(endpoints[0]?.headers).toEqual(masked);
      expect((await signing())[0]?.endpoint?.headers).toEqual(headers);
    });

    it('keep their value when they are sent back masked', async () => {
      await create({ uid: 'mine', headers });
      const next = { authorization: maskedValue, 'X-New': 'new' };
      const updated = await update('mine', { headers: next }, ['headers']);
      expect(updated.endpoint?.headers).toEqual({ authorization: maskedValue, 'X-New': maskedValue });
      expect((await signing())[0]?.endpoint?.headers).toEqual({
        authorization: 'Bearer top-secret',
        'X-New': 'new',
      });
    });

    it('are refused when the mask stands for nothing', async () => {
      await create({ uid: 'mine' });
      await expect(update('mine', { headers: { 'X-New': maskedValue } }, ['headers'])).rejects.toMatchObject({
        violations: [{ field: '/headers/X-New', code: 'masked' }],
      });
    });
  });

  describe('signing secrets', () => {
    const rotate = (rest: { overlapMs?: bigint; secret?: string } = {}) =>
      harness().endpoints.rotateSecret(
        { organisationId, idOrUid: 'mine', overlapMs: rest.overlapMs, secret: rest.secret },
        as(),
      );

    it('make a key pair when v1a is switched on, the same one when it is switched on again', async () => {
      await create({ uid: 'mine' });
      await update('mine', { signing: bothSchemes }, ['signing']);
      const both = await secretsOf('mine');
      expect(both.map(({ scheme }) => scheme).sort()).toEqual(bothSchemes);
      await update('mine', {}, ['signing']);
      expect((await secretsOf('mine')).map(({ scheme }) => scheme)).toEqual([SIGNATURE_SCHEME_V1]);
      expect((await signing())[0]?.secrets).toHaveLength(1);
      await update('mine', { signing: bothSchemes }, ['signing']);
      expect(await secretsOf('mine')).toEqual(both);
    });

    it('sign side by side for a day after a rotation, and are gone after that', async () => {
      const { secrets } = await create({ uid: 'mine' });
      harness().clock.advance(1000);
      const rotated = await rotate();
      const end = new Date(harness().clock.now() + dayMs);
      expect(rotated.secrets).toHaveLength(2);
      expect(rotated.secrets[1]).toEqual({ ...secrets[0], expiresAt: end });
      expect((await get('mine'))?.version).toBe(2n);
      harness().clock.advance(dayMs - 1);
      expect(await secretsOf('mine')).toEqual(rotated.secrets);
      expect((await signing())[0]?.secrets).toHaveLength(2);
      harness().clock.advance(1);
      expect(await secretsOf('mine')).toEqual(rotated.secrets.slice(0, 1));
      expect((await signing())[0]?.secrets).toHaveLength(1);
    });

    it('take the secret of the owner, and end the old ones at once with an overlap of 0', async () => {
      await create({ uid: 'mine' });
      await rotate();
      const { secrets } = await rotate({ secret: givenSecret, overlapMs: 0n });
      expect(secrets.map(({ secret }) => secret)).toEqual([givenSecret]);
    });

    it('reports what is wrong with a rotation, without the secret', async () => {
      await create({ uid: 'mine' });
      const secret = 'whsec_notbase64!';
      const error: unknown = await rotate({ secret, overlapMs: -1n }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: 'invalid_argument',
        violations: [{ field: '/overlapMs' }, { field: '/secret' }],
      });
      expect(JSON.stringify(error)).not.toContain(secret);
    });

    it('lose none of the rotations that are made at once', async () => {
      await create({ uid: 'mine' });
      await Promise.all([rotate(), rotate(), rotate()]);
      expect(await secretsOf('mine')).toHaveLength(4);
    });
  });
});
