import { grpcSecurityConfig, readConfig, type Environment } from '@posthorn/runtime';
import { transportSecurityOf, transportSecurityProblems } from './security-settings.ts';

const read = (env: Environment) => readConfig(grpcSecurityConfig, env);
const tls = {
  POSTHORN_GRPC_TLS_CERT_FILE: '/tls/tls.crt',
  POSTHORN_GRPC_TLS_KEY_FILE: '/tls/tls.key',
  POSTHORN_GRPC_TLS_CA_FILE: '/tls/ca.crt',
};
const key = Buffer.alloc(32, 1);
const tokens = { POSTHORN_SERVICE_TOKEN_KEY: key.toString('base64') };
const open = { POSTHORN_DANGEROUSLY_ALLOW_UNAUTHENTICATED_GRPC: 'true' };

describe('how services know each other', () => {
  it('is by certificates, by tokens, or not at all when somebody says so', () => {
    expect(transportSecurityOf(read(tls))).toEqual({
      kind: 'tls',
      certFile: '/tls/tls.crt',
      keyFile: '/tls/tls.key',
      caFile: '/tls/ca.crt',
    });
    expect(transportSecurityOf(read(tokens))).toEqual({ kind: 'tokens', keys: [key] });
    expect(transportSecurityOf(read(open))).toEqual({ kind: 'none' });
  });

  it.each<[string, Environment, RegExp]>([
    ['nothing is set', {}, /^Services must know each other/],
    [
      'it is allowed in words that say no',
      { POSTHORN_DANGEROUSLY_ALLOW_UNAUTHENTICATED_GRPC: 'false' },
      /^Services must know/,
    ],
    ['the list of keys is empty', { POSTHORN_SERVICE_TOKEN_KEY: ' , ' }, /^Services must know/],
    [
      'the authority is missing',
      { ...tls, POSTHORN_GRPC_TLS_CA_FILE: '' },
      /^POSTHORN_GRPC_TLS_CA_FILE must/,
    ],
    ['there are two ways', { ...tls, ...tokens }, /TLS_CERT_FILE and POSTHORN_SERVICE_TOKEN_KEY are set/],
    ['it is open as well as closed', { ...tokens, ...open }, /are set; choose one/],
  ])('is a problem when %s', (_what, env, message) => {
    expect(transportSecurityProblems(read(env))[0]?.message).toMatch(message);
    expect(() => transportSecurityOf(read(env))).toThrow();
  });
});
