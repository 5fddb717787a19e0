import { readConfig, type Environment } from '../config-reader.ts';
import { oidcConfig, oidcProblems, oidcSettingsOf } from './oidc-config.ts';

const read = (env: Environment) => readConfig(oidcConfig, env);
const issuer = 'https://login.example/realms/acme/';
const both = { POSTHORN_OIDC_ISSUER: issuer, POSTHORN_OIDC_AUDIENCE: 'posthorn, hooks' };

describe('whose tokens are taken', () => {
  test('nobody’s without an issuer', () => {
    expect(oidcProblems(read({}))).toEqual([]);
    expect(oidcSettingsOf(read({}))).toBeNull();
  });

  test('the issuer’s, written by character, for one of the audiences', () => {
    expect(oidcProblems(read(both))).toEqual([]);
    expect(oidcSettingsOf(read(both))).toEqual({
      issuer,
      audience: ['posthorn', 'hooks'],
      jwksUrl: null,
      organisationClaim: 'organisation',
      scopesClaim: 'scope',
      operatorScope: null,
      algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
      clockToleranceMs: 30_000,
    });
  });

  test.each<[string, Environment, string]>([
    ['an issuer without an audience', { POSTHORN_OIDC_ISSUER: issuer }, 'POSTHORN_OIDC_AUDIENCE'],
    ['an audience without an issuer', { POSTHORN_OIDC_AUDIENCE: 'posthorn' }, 'POSTHORN_OIDC_AUDIENCE'],
    ['keys without an issuer', { POSTHORN_OIDC_JWKS_URL: 'https://a.example' }, 'POSTHORN_OIDC_JWKS_URL'],
    ['operators without an issuer', { POSTHORN_OIDC_OPERATOR_SCOPE: 'a' }, 'POSTHORN_OIDC_OPERATOR_SCOPE'],
    ['no algorithm', { ...both, POSTHORN_OIDC_ALGORITHMS: ',' }, 'POSTHORN_OIDC_ALGORITHMS'],
  ])('%s is a problem that says what is missing', (_, env, variable) => {
    expect(oidcProblems(read(env))).toEqual([
      { variable, message: expect.stringMatching(new RegExp(`^${variable} .*\\.$`)) as unknown },
    ]);
  });

  test.each([
    ['keys over plain http from elsewhere', { POSTHORN_OIDC_JWKS_URL: 'http://login.example/keys' }],
    ['an issuer with a password', { POSTHORN_OIDC_ISSUER: 'https://a:b@login.example' }],
    ['a shared secret', { POSTHORN_OIDC_ALGORITHMS: 'HS256' }],
    ['no signature at all', { POSTHORN_OIDC_ALGORITHMS: 'none' }],
  ])('%s is not accepted', (_, env) => {
    expect(() => read({ ...both, ...env })).toThrow('The configuration is not valid');
  });

  test('plain http is for an issuer on this machine', () => {
    expect(read({ ...both, POSTHORN_OIDC_ISSUER: 'http://127.0.0.1:8081/x' })).toMatchObject({
      oidcIssuer: 'http://127.0.0.1:8081/x',
    });
  });
});
