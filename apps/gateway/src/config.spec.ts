import { ConfigError } from '@posthorn/runtime';
import { readGatewayConfig } from './config.ts';

const build = { version: '1.2.3' };

test('without any variable, listens on the loopback address and port 8080, for events of 256 KiB', () => {
  expect(readGatewayConfig({}, build)).toMatchObject({
    host: '127.0.0.1',
    port: 8080,
    publicUrl: null,
    maxEventBytes: 262_144,
    urlPolicy: { requireHttps: false },
    version: '1.2.3',
  });
});

test('reads what is set', () => {
  const config = readGatewayConfig(
    {
      POSTHORN_HOST: '0.0.0.0',
      POSTHORN_PORT: '0',
      POSTHORN_PUBLIC_URL: 'https://hooks.example.com/',
      POSTHORN_MAX_EVENT_BYTES: '1MiB',
      POSTHORN_ALLOW_TARGETS: '127.0.0.0/8, ::1',
      POSTHORN_REQUIRE_HTTPS: 'on',
    },
    build,
  );
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
  const read = (): unknown =>
    readGatewayConfig(
      { POSTHORN_PORT: '70000', POSTHORN_PUBLIC_URL: 'ftp://x', POSTHORN_ALLOW_TARGETS: 'home' },
      build,
    );
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(/POSTHORN_PORT[^]*POSTHORN_PUBLIC_URL[^]*POSTHORN_ALLOW_TARGETS/);
});
