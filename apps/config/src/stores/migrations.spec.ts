import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite } from '@posthorn/sqlite';
import { configMigrations } from './migrations.ts';
import { sampleEndpoint, sampleId, sampleKey, sampleOrganisation } from './sample-resources.harness.ts';
import { createSqliteConfigStores } from './stores.sqlite.ts';

/** A document as the first version wrote it: without the fields that came later. */
function withoutFields(document: object, ...later: readonly string[]): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(document).filter(([name]) => !later.includes(name))),
  );
}

describe('a database of the first version', () => {
  let directory: string;
  const path = (): string => join(directory, 'posthorn.db');

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'posthorn-config-'));
    const database = openSqlite({
      path: path(),
      migrations: [{ ...configMigrations, steps: configMigrations.steps.slice(0, 1) }],
    });
    const { endpoint } = sampleEndpoint(3, { name: '"quoted" \u00e9 \\ 1.0', metadata: { n: '1.50' } });
    const { key, tokenSha256 } = sampleKey(2);
    const later = [
      'dialect',
      'verification',
      'verificationId',
      'verificationExpiresAt',
      'policyId',
      'editionId',
      'ordering',
      'onExhausted',
      'rateLimit',
    ];
    const rows: readonly (readonly [string, ...(string | Uint8Array)[]])[] = [
      [
        'INSERT INTO config_organisations (id, slug, document) VALUES (?, ?, ?)',
        sampleId(1),
        'organisation-1',
        withoutFields(sampleOrganisation(1), 'defaultRicloudEndpoint', 'limits'),
      ],
      [
        'INSERT INTO config_keys (id, organisation_id, token_sha256, document) VALUES (?, ?, ?, ?)',
        key.id,
        sampleId(1),
        tokenSha256,
        withoutFields(key, 'routesTo', 'limits'),
      ],
      [
        `INSERT INTO config_endpoints (id, organisation_id, state, writes, document, sealed) VALUES (?, ?, 'enabled', 1, ?, ?)`,
        endpoint.id,
        sampleId(1),
        withoutFields(endpoint, ...later),
        'sealed',
      ],
    ];
    await database.write(() => {
      for (const [sql, ...values] of rows) database.prepare(sql).run(...values);
    });
    await database.close();
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('shows everything as it was written, and nothing in the fields that came later', async () => {
    const database = openSqlite({ path: path(), migrations: [configMigrations] });
    const stores = createSqliteConfigStores(database);
    const settings = { name: '"quoted" \u00e9 \\ 1.0', metadata: { n: '1.50' } };
    expect(await stores.organisations.find(sampleId(1))).toEqual(sampleOrganisation(1));
    expect(await stores.keys.find(sampleId(2))).toEqual(sampleKey(2).key);
    const stored = await stores.endpoints.find(sampleId(1), sampleId(3));
    expect(stored?.endpoint).toEqual({ ...sampleEndpoint(3, settings).endpoint, number: 1 });
    expect(
      await stores.endpoints.list({
        organisationId: sampleId(1),
        limit: 9,
        beforeNumber: null,
        state: null,
        dialect: 'standard',
      }),
    ).toEqual([stored]);
    await database.close();
  });
});
