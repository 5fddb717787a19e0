import { ConfigError } from '@posthorn/runtime';
import { readServeConfig } from './serve-config.ts';

test('without any variable it is what the documentation promises', () => {
  expect(readServeConfig({}, {})).toMatchObject({
    port: 8080,
    host: '127.0.0.1',
    dataDir: expect.stringMatching(/\/data$/),
    operatorKey: null,
    encryptionKeys: null,
    allowTargets: [],
    publicUrl: null,
    requireHttps: false,
    dnsServers: [],
    disableAfterMs: 432_000_000,
    maxEventBytes: 262_144,
    rapidlyBrand: 'Rapidly',
    rapidlyIconUrl: null,
    rapidlyThumbnailUrl: null,
  });
});

test('options come before the environment', () => {
  const env = { POSTHORN_PORT: '1', POSTHORN_HOST: '::1', POSTHORN_DATA_DIR: '/a' };
  expect(readServeConfig({ port: '2', dataDir: '/b' }, env)).toMatchObject({
    port: 2,
    host: '::1',
    dataDir: '/b',
  });
});

test('tells everything that is wrong at once, a wrong option included', () => {
  const env = {
    POSTHORN_OPERATOR_KEY: 'short',
    POSTHORN_ALOW_TARGETS: '127.0.0.0/8',
    POSTHORN_REQUIRE_HTTPS: 'perhaps',
  };
  let problems: readonly string[] = [];
  try {
    readServeConfig({ port: 'http' }, env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems = error.problems.map(({ variable }) => variable);
  }
  expect([...problems].sort()).toEqual([
    'POSTHORN_ALOW_TARGETS',
    'POSTHORN_OPERATOR_KEY',
    'POSTHORN_PORT',
    'POSTHORN_REQUIRE_HTTPS',
  ]);
});

test('the variables of the command line are no problem to the platform', () => {
  const env = { POSTHORN_URL: 'http://127.0.0.1:1', POSTHORN_KEY: 'phk_1', POSTHORN_ORGANISATION: 'acme' };
  expect(() => readServeConfig({}, env)).not.toThrow();
});

test('several encryption keys are read in their order', () => {
  const keys = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const env = { POSTHORN_ENCRYPTION_KEY: keys.map((key) => key.toString('base64')).join(',') };
  expect(readServeConfig({}, env).encryptionKeys).toEqual(keys);
});

test('name servers and a proxy that are malformed are problems like any other, and credentials stay untold', () => {
  const env = {
    POSTHORN_DNS_SERVERS: '10.0.0.53,dns.example',
    POSTHORN_EGRESS_PROXY: 'socks5://user:s3cret@proxy:1080',
  };
  expect(() => readServeConfig({}, env)).toThrow(
    expect.objectContaining({
      problems: [
        {
          variable: 'POSTHORN_DNS_SERVERS',
          message: expect.stringMatching(
            /^POSTHORN_DNS_SERVERS must be .*; "10.0.0.53,dns.example" is not\.$/,
          ),
        },
        { variable: 'POSTHORN_EGRESS_PROXY', message: expect.not.stringContaining('s3cret') },
      ],
    }),
  );
});
