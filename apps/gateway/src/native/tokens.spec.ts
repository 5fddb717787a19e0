import { configV1 } from '@posthorn/contracts';
import type { Principal } from '@posthorn/models';
import { systemClock } from '@posthorn/runtime';
import { startTestIssuer, type TestIssuer } from '@posthorn/testing';
import { acme } from '../testing/fake-services.harness.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.harness.ts';

describe('OIDC tokens in place of API keys', () => {
  let issuer: TestIssuer;
  let running: TestGateway;
  let seen: Principal | undefined;

  beforeAll(async () => {
    issuer = await startTestIssuer({ now: systemClock.now });
    running = await startTestGateway({
      config: {
        oidc: {
          issuer: issuer.issuer,
          audience: ['posthorn'],
          jwksUrl: null,
          organisationClaim: 'organisation',
          scopesClaim: 'scope',
          operatorScope: 'posthorn-operator',
          algorithms: ['ES256'],
          clockToleranceMs: 30_000,
        },
      },
      handlers: {
        endpoints: {
          listEndpoints: (_, { principal }) => {
            seen = principal;
            return Promise.resolve({ endpoints: [], nextCursor: '' });
          },
        },
        organisations: {
          listOrganisations: () =>
            Promise.resolve(configV1.ListOrganisationsResponse.fromPartial({ organisations: [] })),
        },
      },
    });
  });
  afterAll(async () => {
    await running.gateway.stop(0);
    await issuer.stop();
  });

  const good = { sub: 'alice', aud: 'posthorn', organisation: 'acme', scope: 'endpoints:read' };
  const call = (path: string, claims: Readonly<Record<string, unknown>>, method = 'GET') =>
    running.call(method, path, {
      token: issuer.token(claims),
      ...(method === 'POST' && { body: { url: 'https://example.com' } }),
    });

  test('a token acts for its organisation, with its scopes', async () => {
    expect((await call('/v1/endpoints', good)).status).toBe(200);
    expect(seen).toEqual({
      kind: 'token',
      id: 'alice',
      organisationId: acme.id,
      scopes: ['endpoints:read'],
    });
    expect((await call('/v1/endpoints', good, 'POST')).status).toBe(403);
    expect((await call('/v1/organisations', { ...good, scope: '*' })).status).toBe(403);
  });

  test('a token cannot name another organisation than its own', async () => {
    const answer = await running.call('GET', '/v1/endpoints', {
      token: issuer.token(good),
      headers: { 'Posthorn-Organisation': 'globex' },
    });
    expect(answer.status).toBe(404);
  });

  test('an operator’s token acts like an operator key, within its scopes', async () => {
    const operator = { sub: 'bob', aud: 'posthorn', scope: 'posthorn-operator organisations:read' };
    expect((await call('/v1/organisations', operator)).status).toBe(200);
    expect((await call('/v1/endpoints', operator)).status).toBe(403);
  });

  test.each([
    ['expired', { exp: 1_000 }, 'The token has expired.'],
    ['for someone else', { aud: 'other' }, 'The token is for another audience.'],
  ])('one that is %s answers 401, and the challenge says why', async (_, claims, why) => {
    const answer = await call('/v1/endpoints', { ...good, ...claims });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe(
      `Bearer realm="posthorn", error="invalid_token", error_description="${why}"`,
    );
    expect(answer.body).toMatchObject({ code: 'unauthenticated', detail: why });
  });

  test('a dialect takes it where it takes a key', async () => {
    const list = (claims: object) =>
      running.call('GET', '/configs/webhook', {
        token: issuer.token({ ...good, ...claims }),
        scheme: 'Token',
      });
    expect((await list({ aud: 'other' })).status).toBe(401);
    expect((await list({ scope: 'keys:read' })).status).toBe(403);
    expect((await list({})).status).not.toBe(401);
  });
});
