import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { eventually, respondBy, respond, startForwardProxy, startReceiver } from '@posthorn/testing';
import { refuseSecrets, refuseSecretsInFiles, rememberSecret } from './known-secrets.ts';
import { preparePlatform } from './platform-process.ts';
import { createTenant, patienceMs, type EndpointAnswer } from './tenant.ts';

/**
 * Every kind of secret, on a platform that logs all that it can. Every suite looks for those that it has seen when it disposes of its
 * platform (known-secrets.ts); this one uses all of them, in all ways that come to mind, and sees that the search would find them.
 */

const mark = (what: string): string => `${what}-${randomBytes(18).toString('hex')}`;
const operatorKey = mark('operator-key');
const proxyPassword = mark('proxy-password');
const encryptionKey = randomBytes(32);

it('no secret of any kind is in the clear in the log, the metrics, the files or a refusal', async () => {
  const proxy = await startForwardProxy({ credentials: `posthorn:${proxyPassword}` });
  const receiver = await startReceiver({
    behaviour: respondBy((request) => respond(request.number % 3 === 0 ? 500 : 204)),
  });
  const platform = await preparePlatform({
    env: {
      POSTHORN_LOG_LEVEL: 'trace',
      POSTHORN_OPERATOR_KEY: operatorKey,
      POSTHORN_ENCRYPTION_KEY: encryptionKey.toString('base64'),
      POSTHORN_EGRESS_PROXY: proxy.url,
    },
  });
  rememberSecret('the operator key', operatorKey);
  rememberSecret("the proxy's password", proxyPassword);
  rememberSecret("the proxy's credentials", Buffer.from(`posthorn:${proxyPassword}`));
  rememberSecret('the encryption key', encryptionKey);
  rememberSecret('the encryption key', encryptionKey.toString('base64'));
  try {
    await platform.start();
    const tenant = await createTenant({ url: platform.url, operatorKey });
    const given = mark('token-that-came-along');
    await tenant.as({ key: operatorKey }).ok('POST', '/v1/keys', {
      name: 'moved',
      token: given,
      scopes: ['events:write'],
      organisation: tenant.slug,
    });

    // Endpoints of every dialect, with secrets of ours and of their owners, and headers that carry credentials.
    const headers = { authorization: `Bearer ${mark('header')}`, 'x-api-key': mark('header') };
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const policies = await Promise.all([
      tenant.ok<{ id: string }>('POST', '/v1/policies', { algorithm: 'es256', key }),
      tenant.ok<{ id: string }>('POST', '/v1/policies', { algorithm: 'hs256' }),
      tenant.ok<{ id: string }>('POST', '/v1/policies', {
        algorithm: 'hs256',
        key: mark('shared') + mark('secret'),
      }),
      tenant.ok<{ id: string }>('POST', '/v1/policies', { algorithm: 'rs256' }),
    ]);
    const standard = { url: receiver.url, headers };
    const made = await Promise.all<EndpointAnswer>([
      tenant.endpoint({ ...standard, uid: 'own', secret: `whsec_${randomBytes(24).toString('base64')}` }),
      tenant.endpoint({ ...standard, signing: ['v1', 'v1a'] }),
      tenant.endpoint({ ...standard, dialect: 'rapidly' }),
      tenant.endpoint({ ...standard, dialect: 'preo', secret: mark('preo-secret') }),
      tenant.endpoint({ ...standard, dialect: 'ricloud', secret: mark('ricloud-secret') }),
      ...policies.map(({ id }) => tenant.endpoint({ url: receiver.url, dialect: 'xurrent', policy: id })),
    ]);

    // They are used, read, rotated, masked, sent again and refused.
    for (const { id } of made.slice(0, 4)) {
      await tenant.ok('GET', `/v1/endpoints/${id}/secrets`);
      await tenant.ok('POST', `/v1/endpoints/${id}/test`, {});
      await tenant.ok('POST', `/v1/endpoints/${id}/secrets/rotate`, {});
      await tenant.ok('PATCH', `/v1/endpoints/${id}`, { headers: { ...headers, 'x-other': mark('header') } });
    }
    for (let count = 0; count < 20; count++) await tenant.publish({ type: 'a', data: { count } });
    await eventually(() => receiver.requests.length >= 60, { timeoutMs: patienceMs });
    const answers = await Promise.all([
      tenant.call('POST', '/v1/endpoints', { ...standard, secret: mark('not-a-secret-of-ours'), uid: 'own' }),
      tenant.call('POST', '/v1/endpoints', { ...standard, headers: { 'bad name': mark('header') } }),
      tenant.call('POST', '/v1/endpoints', { ...standard, headers: { 'x-a': `${mark('header')}\n` } }),
      tenant.call('POST', '/v1/policies', { algorithm: 'es256', key: mark('not-a-key') }),
      tenant.call('POST', '/v1/keys', { name: mark('a'), token: 'short', scopes: ['none'] }),
      tenant.as({ key: `${given.slice(0, -1)}0` }).call('GET', '/v1/keys'),
      tenant.call('GET', `/v1/endpoints/none?token=${mark('query')}`),
    ]);
    for (const { status, text } of answers) {
      expect(status).toBeGreaterThanOrEqual(400);
      refuseSecrets('a refusal', text);
    }
    for (const path of ['/v1/endpoints', '/v1/keys', '/v1/policies', '/v1/attempts', '/v1/deliveries']) {
      refuseSecrets(path, (await tenant.call('GET', path)).text);
    }
    refuseSecretsInFiles(platform.dataDir);
    expect(platform.output()).toContain('"level":"debug"');
  } finally {
    await platform.dispose();
    await receiver.close();
    await proxy.close();
  }
  refuseSecrets('the output', platform.output());
  // And the search isn't blind: what was used is what it knows.
  for (const planted of [operatorKey, proxyPassword, encryptionKey]) {
    expect(() =>
      refuseSecrets('a log', Buffer.concat([Buffer.from('{"a":"'), Buffer.from(planted)])),
    ).toThrow(/secrets where none may be/);
  }
});
