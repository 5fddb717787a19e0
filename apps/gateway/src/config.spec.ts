import { ConfigError } from '@posthorn/runtime';
import type { Environment } from '@posthorn/runtime';
import { gatewayConfigOf, readGatewayValues } from './config.ts';

const open = { POSTHORN_DANGEROUSLY_ALLOW_UNAUTHENTICATED_GRPC: 'true' };
const read = (env: Environment) => gatewayConfigOf(readGatewayValues({ ...open, ...env }), '1.2.3');

test('without any variable, listens on the loopback address and port 8080, for events of 256 KiB', () => {
  expect(read({})).toMatchObject({
    host: '127.0.0.1',
    port: 8080,
    publicUrl: null,
    maxEventBytes: 262_144,
    urlPolicy: { requireHttps: false },
    version: '1.2.3',
  });
});

test('reads what is set', () => {
  const config = read({
    POSTHORN_HOST: '0.0.0.0',
    POSTHORN_PORT: '0',
    POSTHORN_PUBLIC_URL: 'https://hooks.example.com/',
    POSTHORN_MAX_EVENT_BYTES: '1MiB',
    POSTHORN_ALLOW_TARGETS: '127.0.0.0/8, ::1',
    POSTHORN_REQUIRE_HTTPS: 'on',
  });
  expect(config).toMatchObject({
    host: '0.0.0.0',
    port: 0,
    publicUrl: 'https://hooks.example.com',
    maxEventBytes: 1_048_576,
    urlPolicy: { requireHttps: true },
  });
  expect(config.urlPolicy.allow.contains('127.1.2.3')).toBe(true);
  expect(config.urlPolicy.allow.contains('10.0.0.1')).toBe(false);
});

test('names everything that is wrong at once', () => {
  const wrong = () =>
    read({ POSTHORN_PORT: '70000', POSTHORN_PUBLIC_URL: 'ftp://x', POSTHORN_ALLOW_TARGETS: 'home' });
  expect(wrong).toThrow(ConfigError);
  expect(wrong).toThrow(/POSTHORN_PORT[^]*POSTHORN_PUBLIC_URL[^]*POSTHORN_ALLOW_TARGETS/);
});

test('does not start without a way for services to know each other, or with dialects in one place', () => {
  expect(() => readGatewayValues({})).toThrow(/Services must know each other/);
  expect(() => read({ POSTHORN_DIALECT_RAPIDLY_PATH: '/v1', POSTHORN_DIALECT_XURRENT_PATH: '/v1' })).toThrow(
    /POSTHORN_DIALECT/,
  );
});
