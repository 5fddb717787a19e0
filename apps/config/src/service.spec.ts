import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite, type SqliteDatabase } from '@posthorn/sqlite';
import { createHarness, service, tenant, testEncryptionKey } from './config.harness.ts';
import { configMigrations } from './stores/migrations.ts';
import { createSqliteConfigStores } from './stores/stores.sqlite.ts';
import type { ConfigStores } from './stores/stores.ts';

describe('the config service on one file', () => {
  let directory: string;
  let database: SqliteDatabase;
  let stores: ConfigStores;
  const open = (): void => {
    database = openSqlite({ path: join(directory, 'posthorn.db'), migrations: [configMigrations] });
    stores = createSqliteConfigStores(database);
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'posthorn-config-'));
    open();
  });
  afterEach(async () => {
    await database.close();
    await rm(directory, { recursive: true });
  });

  it('finds everything again after a restart', async () => {
    const before = createHarness(stores);
    const organisationId = await before.organisation('acme');
    const { endpoint, secrets } = await before.endpoint(organisationId, { uid: 'mine' });
    await database.close();
    open();
    const after = createHarness(stores);
    await after.config.start();
    const target = { organisationId, idOrUid: 'mine' };
    expect(await after.endpoints.getEndpoint(target, { principal: tenant(organisationId) })).toMatchObject({
      endpoint,
    });
    expect(await after.endpoints.listSecrets(target, { principal: tenant(organisationId) })).toEqual({
      secrets,
    });
    await after.config.stop();
  });

  it('writes no signing secret, header value or token in the clear', async () => {
    const { config, ...harness } = createHarness(stores);
    const organisationId = await harness.organisation('acme');
    const { token } = await config.ensureOperatorKey({});
    const { secrets } = await harness.endpoint(organisationId, { headers: { 'X-Key': 'top-secret-value' } });
    await database.close();
    const bytes = await readFile(join(directory, 'posthorn.db'), 'latin1');
    expect(bytes).toContain('https://receiver.example/hook');
    for (const secret of [token, secrets[0]?.secret.slice('whsec_'.length), 'top-secret-value']) {
      expect(secret).toBeTruthy();
      expect(bytes).not.toContain(secret);
    }
    open();
  });

  it('refuses to start with another encryption key, and starts with a rotated ring', async () => {
    const first = createHarness(stores);
    const organisationId = await first.organisation('acme');
    await first.endpoint(organisationId);
    const other = new Uint8Array(32).fill(8);
    await expect(createHarness(stores, { encryptionKeys: [other] }).config.start()).rejects.toMatchObject({
      code: 'failed_precondition',
    });
    const rotated = createHarness(stores, { encryptionKeys: [other, testEncryptionKey] });
    await rotated.config.start();
    const request = { organisationId, cursor: '', omitEndpoints: false };
    const view = await rotated.directory.getOrganisationView(request, { principal: service });
    expect(view.endpoints[0]?.secrets).toHaveLength(1);
    await rotated.config.stop();
  });

  it('does not open secrets that were copied into another endpoint', async () => {
    const harness = createHarness(stores);
    const organisationId = await harness.organisation('acme');
    await harness.endpoint(organisationId, { uid: 'a' });
    const b = await harness.endpoint(organisationId, { uid: 'b' });
    const [donor, target] = [
      await stores.endpoints.find(organisationId, 'a'),
      await stores.endpoints.find(organisationId, 'b'),
    ];
    if (donor === null || target === null) throw new Error('the endpoints are missing');
    await stores.endpoints.replace({ ...target, sealed: donor.sealed });
    await expect(
      harness.endpoints.listSecrets(
        { organisationId, idOrUid: b.endpoint.id },
        { principal: tenant(organisationId) },
      ),
    ).rejects.toMatchObject({ code: 'internal', message: 'Something went wrong on our side.' });
  });

  it('leaves no timer behind when it is stopped', async () => {
    const { config, clock } = createHarness(stores);
    await config.start();
    expect(clock.pendingTimers).toBe(2);
    await config.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});
