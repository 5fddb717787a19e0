import { configV1 } from '@posthorn/contracts';
import { hasValidChecksum, type Principal, type Scope } from '@posthorn/models';
import { eventually } from '@posthorn/testing';
import { operator, service, tenant, useHarness } from '../config.harness.ts';
import { hashToken } from './hash-token.ts';

describe('KeyService', () => {
  const harness = useHarness({ limits: { keys: 3 } });
  let organisationId: string;

  beforeEach(async () => {
    organisationId = await harness().organisation('acme');
  });

  interface Wanted {
    readonly principal?: Principal;
    readonly owner?: string | undefined;
    readonly scopes?: readonly string[];
    readonly token?: string;
    readonly expiresAt?: Date;
  }

  async function create({ principal = operator, scopes = ['events:write'], ...wanted }: Wanted = {}) {
    const owner = 'owner' in wanted ? wanted.owner : organisationId;
    const partial = configV1.ApiKey.fromPartial({ name: 'mine', scopes: [...scopes] });
    const key = { ...partial, organisationId: owner, expiresAt: wanted.expiresAt };
    const answer = await harness().keys.createKey({ key, token: wanted.token }, { principal });
    if (answer.key === undefined) throw new Error('the answer shows no key');
    return { key: answer.key, token: answer.token };
  }
  const authenticate = (token: string, principal = service) =>
    harness().keys.authenticate({ tokenSha256: hashToken(token) }, { principal });

  it('makes a token that a secret scanner recognises, and shows it this once', async () => {
    const { key, token } = await create();
    expect(hasValidChecksum(token)).toBe(true);
    expect(token.startsWith(key.prefix)).toBe(true);
    const shown = await harness().keys.getKey({ organisationId, id: key.id }, { principal: operator });
    expect(shown).toEqual({ key });
    expect(JSON.stringify(shown)).not.toContain(token);
  });

  it('authenticates by the hash of the token, for services only', async () => {
    const { key, token } = await create();
    expect(await authenticate(token)).toEqual({ key });
    await expect(authenticate(`${token}x`)).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(authenticate(token, operator)).rejects.toMatchObject({ code: 'permission_denied' });
    for (const tokenSha256 of [new Uint8Array(), new Uint8Array(31)]) {
      await expect(
        harness().keys.authenticate({ tokenSha256 }, { principal: service }),
      ).rejects.toMatchObject({ code: 'unauthenticated' });
    }
  });

  it('refuses a key from the moment at which it expires, exactly like an unknown one', async () => {
    const { token } = await create({ expiresAt: new Date(harness().clock.now() + 1000) });
    const unknown = await authenticate('unknown').catch((error: unknown) => error);
    harness().clock.advance(999);
    await authenticate(token);
    harness().clock.advance(1);
    await expect(authenticate(token)).rejects.toEqual(unknown);
  });

  describe('of a feed', () => {
    const named = (scopes: readonly string[], endpointId?: string) => ({
      key: configV1.ApiKey.fromPartial({
        name: 'receiver',
        scopes: [...scopes],
        organisationId,
        ...(endpointId !== undefined && { endpointId }),
      }),
      token: undefined,
    });
    const make = (...input: Parameters<typeof named>) =>
      harness().keys.createKey(named(...input), { principal: operator });

    it('names one endpoint of its organisation, and shows it whenever it is shown', async () => {
      const { endpoint } = await harness().endpoint(organisationId, { uid: 'shop' });
      const { key, token } = await make(['feed:read'], 'shop');
      expect(key).toMatchObject({ scopes: ['feed:read'], endpointId: endpoint.id });
      expect(await authenticate(token)).toMatchObject({ key: { endpointId: endpoint.id } });
    });

    it('is refused without an endpoint, with another scope, and for what is no endpoint of the organisation', async () => {
      await harness().endpoint(organisationId, { uid: 'shop' });
      const violations = (field: string) => ({ code: 'invalid_argument', violations: [{ field }] });
      await expect(make(['feed:read'])).rejects.toMatchObject(violations('/endpoint'));
      await expect(make(['feed:read', 'events:write'], 'shop')).rejects.toMatchObject(violations('/scopes'));
      await expect(make(['feed:read'], 'other')).rejects.toMatchObject(violations('/endpoint'));
    });

    it('can be given no other scope later, nor another key this one', async () => {
      await harness().endpoint(organisationId, { uid: 'shop' });
      const feed = (await make(['feed:read'], 'shop')).key;
      const other = (await make(['events:write'])).key;
      const change = (id: string, scopes: readonly string[]) =>
        harness().keys.updateKey(
          {
            organisationId,
            id,
            key: configV1.ApiKey.fromPartial({ scopes: [...scopes] }),
            updateMask: ['scopes'],
          },
          { principal: operator },
        );
      await expect(change(feed?.id ?? '', ['events:write'])).rejects.toMatchObject({
        violations: [{ field: '/scopes' }],
      });
      await expect(change(other?.id ?? '', ['feed:read'])).rejects.toMatchObject({
        violations: [{ field: '/endpoint' }],
      });
    });
  });

  it('refuses a deleted key at once', async () => {
    const { key, token } = await create();
    await harness().keys.deleteKey({ organisationId, id: key.id }, { principal: operator });
    await expect(authenticate(token)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('records the last use, and again only after a minute', async () => {
    const { key, token } = await create();
    const lastUse = async (): Promise<number | undefined> => {
      const { key: shown } = await harness().keys.getKey(
        { organisationId, id: key.id },
        { principal: operator },
      );
      return shown?.lastUsedAt?.getTime();
    };
    const first = harness().clock.now();
    await authenticate(token);
    await eventually(async () => expect(await lastUse()).toBe(first));
    harness().clock.advance(59_999);
    await authenticate(token);
    await harness().config.stop();
    expect(await lastUse()).toBe(first);
    harness().clock.advance(1);
    await authenticate(token);
    await harness().config.stop();
    expect(await lastUse()).toBe(first + 60_000);
  });

  it('keeps a token that an operator sets, verbatim', async () => {
    const token = 'legacy-token_of.a+customer/1234=';
    const { key } = await create({ token });
    expect(await authenticate(token)).toEqual({ key });
    expect(key.prefix.length).toBeLessThanOrEqual(token.length / 4);
    await expect(create({ token })).rejects.toMatchObject({
      code: 'already_exists',
      violations: [{ field: '/token' }],
    });
  });

  it.each(['short', 'x'.repeat(513), 'a token with spaces in it', 'a-token-with-\u00e9-in-it', ''])(
    'refuses the token %p',
    async (token) => {
      await expect(create({ token })).rejects.toMatchObject({
        code: 'invalid_argument',
        violations: [{ field: '/token' }],
      });
    },
  );

  it('reports everything that is wrong at once', async () => {
    const wrong = { scopes: ['everything'], token: 'short', expiresAt: new Date(0) };
    await expect(create(wrong)).rejects.toMatchObject({
      violations: [{ field: '/scopes/0' }, { field: '/expiresAt' }, { field: '/token' }],
    });
  });

  it('lets nobody give away scopes that they do not hold', async () => {
    const holder = (...scopes: Scope[]): Principal => tenant(organisationId, ...scopes);
    const held = holder('keys:write', 'endpoints:write');
    await create({ principal: held, scopes: ['endpoints:read', 'keys:write'] });
    for (const scope of ['*', 'events:write', 'events:read']) {
      await expect(create({ principal: held, scopes: [scope] })).rejects.toMatchObject({
        code: 'permission_denied',
      });
    }
    const limitedOperator: Principal = { ...operator, scopes: ['keys:write'] };
    await expect(create({ principal: limitedOperator, scopes: ['*'] })).rejects.toMatchObject({
      code: 'permission_denied',
    });
  });

  it('lets no key that ends give longer than it has, to itself or another', async () => {
    const inMs = (ms: number) => new Date(harness().clock.now() + ms);
    const { key } = await create({ scopes: ['keys:write'], expiresAt: inMs(1000) });
    const { key: lasting } = await create({ scopes: ['keys:read'] });
    const principal: Principal = { ...tenant(organisationId, 'keys:write'), id: key.id };
    const refused = { code: 'permission_denied' };
    const update = (id: string, updateMask: string[], expiresAt?: Date) =>
      harness().keys.updateKey({ organisationId, id, key: { ...key, expiresAt }, updateMask }, { principal });
    await expect(create({ principal, scopes: ['keys:read'] })).rejects.toMatchObject(refused);
    await expect(update(key.id, ['expires_at'])).rejects.toMatchObject(refused);
    await expect(update(key.id, ['expires_at'], inMs(1001))).rejects.toMatchObject(refused);
    await expect(update(lasting.id, ['scopes'])).rejects.toMatchObject(refused);
    await create({ principal, scopes: ['keys:read'], expiresAt: inMs(1000) });
    await update(key.id, ['expires_at'], inMs(999));
    const token: Principal = { ...principal, kind: 'token', id: 'someone' };
    await harness().keys.updateKey(
      { organisationId, id: lasting.id, key: { ...key, scopes: ['keys:write'] }, updateMask: ['scopes'] },
      { principal: token },
    );
  });

  it('lets no key with limits let another one publish', async () => {
    const limits = { publishesPerSecond: 1, publishesPerDay: null, bytesPerDay: null };
    const principal: Principal = { ...tenant(organisationId), limits };
    const { key } = await create({ principal, scopes: ['endpoints:write', 'keys:write'] });
    for (const scope of ['events:write', '*']) {
      const changed = {
        organisationId,
        id: key.id,
        key: { ...key, scopes: [scope] },
        updateMask: ['scopes'],
      };
      const refused = { code: 'permission_denied' };
      await expect(create({ principal, scopes: [scope] })).rejects.toMatchObject(refused);
      await expect(harness().keys.updateKey(changed, { principal })).rejects.toMatchObject(refused);
    }
  });

  it('lets nobody prolong or extend a key that may do more than they may', async () => {
    const { key } = await create({ scopes: ['*'] });
    const principal = tenant(organisationId, 'keys:write');
    const update = (updateMask: string[], scopes: string[]) =>
      harness().keys.updateKey(
        { organisationId, id: key.id, key: { ...key, name: 'renamed', scopes }, updateMask },
        { principal },
      );
    await expect(update(['expires_at'], [])).rejects.toMatchObject({ code: 'permission_denied' });
    await expect(update(['scopes'], ['events:write'])).rejects.toMatchObject({ code: 'permission_denied' });
    expect(await update(['name'], ['*'])).toEqual({ key: { ...key, name: 'renamed' } });
    expect(await update(['scopes'], ['keys:read'])).toMatchObject({ key: { scopes: ['keys:read'] } });
  });

  it('changes the fields that the mask names and leaves the others', async () => {
    const { key, token } = await create({ expiresAt: new Date(harness().clock.now() + 1000) });
    const changed = { ...key, name: 'renamed', scopes: ['*'], expiresAt: undefined };
    const request = { organisationId, id: key.id, key: changed, updateMask: ['name', 'expires_at'] };
    const updated = await harness().keys.updateKey(request, { principal: operator });
    expect(updated.key).toEqual({ ...key, name: 'renamed', expiresAt: undefined });
    harness().clock.advance(5000);
    expect(await authenticate(token)).toEqual({ key: updated.key });
    const wrong = { ...request, key: { ...key, name: '', scopes: ['x'] }, updateMask: ['name', 'scopes'] };
    await expect(harness().keys.updateKey(wrong, { principal: operator })).rejects.toMatchObject({
      violations: [{ field: '/name' }, { field: '/scopes/0' }],
    });
  });

  it('refuses one key more than an organisation may have', async () => {
    for (let index = 0; index < 3; index++) await create();
    await expect(create()).rejects.toMatchObject({ code: 'failed_precondition' });
    await create({ owner: undefined });
  });

  it('shows operators the keys of all, and a tenant only its own', async () => {
    const other = await harness().organisation('other');
    const [mine, theirs, ours] = [
      await create(),
      await create({ owner: other }),
      await create({ owner: undefined }),
    ];
    const list = async (principal: Principal, owner: string | undefined): Promise<string[]> => {
      const request = { organisationId: owner, limit: 0, cursor: '' };
      return (await harness().keys.listKeys(request, { principal })).keys.map(({ id }) => id).sort();
    };
    expect(await list(operator, undefined)).toEqual([mine, theirs, ours].map(({ key }) => key.id).sort());
    expect(await list(tenant(organisationId), organisationId)).toEqual([mine.key.id]);
    await expect(list(tenant(organisationId), undefined)).rejects.toMatchObject({
      code: 'permission_denied',
    });
  });

  it('lets tenants neither make operator keys nor set tokens', async () => {
    const principal = tenant(organisationId);
    await expect(create({ principal, owner: undefined })).rejects.toMatchObject({
      code: 'permission_denied',
    });
    await expect(create({ principal, token: 'a-token-of-my-own-choice' })).rejects.toMatchObject({
      code: 'permission_denied',
    });
  });

  it('refuses a key for an organisation that does not exist', async () => {
    await expect(create({ owner: '01900000-0000-4000-8000-00000000dead' })).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(create({ owner: 'acme' })).rejects.toMatchObject({ code: 'not_found' });
  });
});
