import type { configV1 } from '@posthorn/contracts';
import { DomainError, servicePrincipal, type Principal } from '@posthorn/models';
import { silentLogger, type OidcSettings } from '@posthorn/runtime';
import { createIssuerKey, eventually, FakeClock, startTestIssuer, type TestIssuer } from '@posthorn/testing';
import { createAuthenticate, type Authenticate } from './authenticate.ts';
import type { Client } from '../calls/client.ts';
import { openTokenAuthentication } from './open-token-authentication.ts';

type Keys = Client<typeof configV1.KeyServiceService>;
type Organisations = Client<typeof configV1.OrganisationServiceService>;

const edge = servicePrincipal('edge');
const keysPath = '/realms/test/keys';
const good = {
  sub: 'alice',
  aud: 'posthorn',
  organisation: 'acme',
  scope: 'openid events:write endpoints:read',
};

describe('tokens of an OIDC issuer', () => {
  let clock: FakeClock;
  let issuer: TestIssuer;
  let authenticate: Authenticate;
  /** Tokens that were looked up as API keys. */
  let askedKeys: number;
  let isConfigAway: boolean;

  beforeEach(async () => {
    clock = new FakeClock();
    issuer = await startTestIssuer({ now: clock.now });
    askedKeys = 0;
    isConfigAway = false;
    authenticate = withSettings({});
  });
  afterEach(() => issuer.stop());

  function withSettings(settings: Partial<OidcSettings>): Authenticate {
    const keys: Pick<Keys, 'authenticate'> = {
      authenticate: () => {
        askedKeys++;
        return Promise.reject(new DomainError('unauthenticated', 'unknown'));
      },
    };
    const organisations: Pick<Organisations, 'getOrganisation'> = {
      getOrganisation: ({ idOrSlug }) => {
        if (isConfigAway) return Promise.reject(new DomainError('unavailable', 'away'));
        return idOrSlug === 'acme' || idOrSlug === 'o1'
          ? Promise.resolve({ organisation: { id: 'o1' } as configV1.Organisation })
          : Promise.reject(new DomainError('not_found', 'no'));
      },
    };
    return createAuthenticate({
      keys: keys as Keys,
      principal: edge,
      tokens: openTokenAuthentication({
        settings: {
          issuer: issuer.issuer,
          audience: ['posthorn'],
          jwksUrl: null,
          organisationClaim: 'organisation',
          scopesClaim: 'scope',
          operatorScope: null,
          algorithms: ['RS256', 'ES256'],
          clockToleranceMs: 30_000,
          ...settings,
        },
        organisations,
        principal: edge,
        clock,
        logger: silentLogger,
      }),
      clock,
    });
  }

  const call = async (token: string): Promise<Principal> => authenticate(`Bearer ${token}`);
  const refusal = async (token: string): Promise<string> => {
    const error = DomainError.from(await call(token).catch((caught: unknown) => caught));
    return `${error.code}: ${error.message}`;
  };
  const fetches = (): number => issuer.asked.get(keysPath) ?? 0;

  test('a token becomes its subject, its organisation by id or slug, and those of its scopes that are ours', async () => {
    const alice = {
      kind: 'token',
      id: 'alice',
      organisationId: 'o1',
      scopes: ['endpoints:read', 'events:write'],
    };
    expect(await call(issuer.token(good))).toEqual(alice);
    expect(await call(issuer.token({ ...good, organisation: 'o1', aud: ['other', 'posthorn'] }))).toEqual(
      alice,
    );
    expect(askedKeys).toBe(0);
  });

  test('claims have the names that are configured, and scopes may be a list', async () => {
    authenticate = withSettings({ organisationClaim: 'https://acme.example/org', scopesClaim: 'roles' });
    const token = issuer.token({ ...good, 'https://acme.example/org': 'acme', roles: ['*', 7] });
    expect(await call(token)).toMatchObject({ organisationId: 'o1', scopes: ['*'] });
  });

  test.each<[string, (issuer: TestIssuer, nowSeconds: number) => string, string]>([
    ['expired', (from, now) => from.token({ ...good, exp: now - 31 }), 'The token has expired.'],
    [
      'without an end',
      (from) => from.token({ ...good, exp: undefined }),
      'The token says in no readable way',
    ],
    ['not valid yet', (from, now) => from.token({ ...good, nbf: now + 31 }), 'The token is not valid yet.'],
    [
      'for another audience',
      (from) => from.token({ ...good, aud: 'else' }),
      'The token is for another audience.',
    ],
    [
      'for no audience',
      (from) => from.token({ ...good, aud: undefined }),
      'The token is for another audience.',
    ],
    [
      'of another issuer',
      (from) => from.token({ ...good, iss: `${from.issuer}/` }),
      'The token is of another issuer.',
    ],
    [
      'without an organisation',
      (from) => from.token({ ...good, organisation: undefined }),
      'The token names no organisation.',
    ],
    [
      'of an organisation by nature',
      (from) => from.token({ ...good, organisation: {} }),
      'The token names its organisation in no',
    ],
    [
      'for an organisation that is not here',
      (from) => from.token({ ...good, organisation: 'globex' }),
      'The token is for an organisation that is not here.',
    ],
    ['without a subject', (from) => from.token({ ...good, sub: undefined }), 'The token names no subject.'],
    ['whose subject is no text', (from) => from.token({ ...good, sub: 1 }), 'The token names no subject.'],
    [
      'with a key nobody published',
      (from) => from.token(good, { key: createIssuerKey('other') }),
      'The token is signed with a key that its issuer does not publish.',
    ],
    [
      'with another key under a published name',
      (from) => from.token(good, { key: createIssuerKey('first') }),
      'The token has a signature that cannot be verified.',
    ],
    [
      'with alg none',
      (from) => from.token(good, { header: { alg: 'none' }, isUnsigned: true }),
      'The token is signed with an algorithm that is not accepted.',
    ],
    [
      'with an algorithm that is not allowed',
      (from) => from.token(good, { header: { alg: 'ES384' } }),
      'The token is signed with an algorithm that is not accepted.',
    ],
    [
      'signed by HMAC with the public key as its secret',
      (from) =>
        from.token(good, {
          header: { alg: 'HS256' },
          secret: from.keys[0]?.publicKey.export({ format: 'pem', type: 'spki' }) ?? '',
        }),
      'The token is signed with an algorithm that is not accepted.',
    ],
  ])('a token %s is refused, and told why', async (_, tokenOf, why) => {
    const answer = await refusal(tokenOf(issuer, Math.floor(clock.now() / 1_000)));
    expect(answer).toMatch(/^unauthenticated: /);
    expect(answer).toContain(why);
    expect(answer).not.toMatch(/posthorn|acme|o1/);
  });

  test('a token that was good is refused once it has expired, also while it is in use', async () => {
    const token = issuer.token(good);
    for (let second = 0; second < 329; second++) {
      await call(token);
      await clock.advanceAsync(1_000);
    }
    await clock.advanceAsync(2_000);
    expect(await refusal(token)).toBe('unauthenticated: The token has expired.');
  });

  test('nothing is fetched for what is no token of the issuer, or could not be one', async () => {
    const [header, payload, signature] = issuer.token(good).split('.');
    for (const token of [
      'phk_0123456789',
      'a.b.c',
      `${header}.${payload}`,
      `${header}.e30.${signature}`,
      issuer.token({ ...good, iss: 'https://else.example' }),
      issuer.token(good, { header: { alg: 'none' } }),
    ])
      await refusal(token);
    expect(issuer.asked.size).toBe(0);
  });

  test('a new key of the issuer counts with the first token that it signs, an old one no more once it is withdrawn', async () => {
    const old = issuer.token(good);
    await call(old);
    issuer.keys = [createIssuerKey('second', 'RS256')];
    await clock.advanceAsync(10_000);
    expect(await call(issuer.token(good))).toMatchObject({ id: 'alice' });
    await clock.advanceAsync(5_000);
    expect(await refusal(old)).toContain('its issuer does not publish');
  });

  test('key ids that are made up cause one fetch in ten seconds', async () => {
    await call(issuer.token(good));
    await clock.advanceAsync(10_000);
    for (let count = 0; count < 20; count++)
      await refusal(issuer.token(good, { header: { kid: `made-up-${count}` } }));
    expect(fetches()).toBe(2);
  });

  test('while the issuer is away, its keys go on working; without any, callers are told to come back', async () => {
    issuer.isAway = true;
    expect(await refusal(issuer.token(good))).toContain('unavailable: ');
    issuer.isAway = false;
    await clock.advanceAsync(10_000);
    await call(issuer.token(good));
    issuer.isAway = true;
    await clock.advanceAsync(3_600_000);
    expect(await call(issuer.token(good))).toMatchObject({ id: 'alice' });
    await clock.advanceAsync(24 * 3_600_000);
    expect(await refusal(issuer.token(good))).toContain('unavailable: ');
  });

  test('keys are fetched again in the background when they are ten minutes old', async () => {
    await call(issuer.token(good));
    await clock.advanceAsync(600_000);
    await call(issuer.token(good));
    await eventually(() => expect(fetches()).toBe(2));
  });

  test('many tokens at once cause one fetch', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, number) => call(issuer.token({ ...good, sub: `s${number}` }))),
    );
    expect(fetches()).toBe(1);
  });

  test('a token that was seen goes on working while config is away; another one is told to come back', async () => {
    const token = issuer.token(good);
    await call(token);
    isConfigAway = true;
    await clock.advanceAsync(60_000);
    expect(await call(token)).toMatchObject({ organisationId: 'o1' });
    expect(await refusal(issuer.token({ ...good, sub: 'bob' }))).toContain('unavailable: ');
  });

  test('a token is an operator only without an organisation, and with the scope that the settings name', async () => {
    authenticate = withSettings({ operatorScope: 'posthorn-operator' });
    const nobodys = { ...good, organisation: undefined };
    expect(await refusal(issuer.token(nobodys))).toContain('names no organisation');
    expect(await call(issuer.token({ ...nobodys, scope: 'posthorn-operator keys:read' }))).toEqual({
      kind: 'token',
      id: 'alice',
      organisationId: null,
      scopes: ['keys:read'],
    });
    const tenants = issuer.token({ ...good, scope: 'posthorn-operator keys:read' });
    expect(await call(tenants)).toMatchObject({ organisationId: 'o1' });
  });

  test('a key that has the form of somebody else’s token is looked up as the key that it may be', async () => {
    expect(await refusal(issuer.token({ ...good, iss: 'https://else.example' }))).toBe(
      'unauthenticated: The token is of another issuer.',
    );
    expect(askedKeys).toBe(1);
  });
});
