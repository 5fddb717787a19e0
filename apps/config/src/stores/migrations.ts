import type { Migrations } from '@posthorn/sqlite';

/**
 * The config service's tables. Resources are documents (JSON text) beside the columns that something is looked up by:
 * they are written rarely, and read whole.
 */
export const configMigrations: Migrations = {
  owner: 'config',
  steps: [
    `
    CREATE TABLE config_organisations (
      id TEXT NOT NULL UNIQUE,
      slug TEXT NOT NULL UNIQUE,
      document TEXT NOT NULL
    ) STRICT;

    CREATE TABLE config_keys (
      id TEXT NOT NULL UNIQUE,
      organisation_id TEXT,
      token_sha256 BLOB NOT NULL UNIQUE,
      last_used_at INTEGER,
      document TEXT NOT NULL
    ) STRICT;
    CREATE INDEX config_keys_by_organisation ON config_keys (organisation_id, id);

    CREATE TABLE config_event_types (
      organisation_id TEXT NOT NULL,
      name TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      document TEXT NOT NULL,
      UNIQUE (organisation_id, name)
    ) STRICT;
    CREATE INDEX config_event_types_by_age ON config_event_types (organisation_id, created_at, name);

    -- AUTOINCREMENT: a number is never given twice, not even after its endpoint was deleted.
    CREATE TABLE config_endpoints (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      organisation_id TEXT NOT NULL,
      uid TEXT,
      state TEXT NOT NULL,
      writes INTEGER NOT NULL,
      document TEXT NOT NULL,
      sealed TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX config_endpoints_by_uid ON config_endpoints (organisation_id, uid) WHERE uid IS NOT NULL;
    CREATE INDEX config_endpoints_by_organisation ON config_endpoints (organisation_id, number, state);

    -- The newest row is never removed, so that revisions only ever grow.
    CREATE TABLE config_changes (
      revision INTEGER PRIMARY KEY,
      organisation_id TEXT NOT NULL
    ) STRICT;

    CREATE TABLE config_reservations (
      owner TEXT NOT NULL,
      key TEXT NOT NULL,
      digest BLOB NOT NULL,
      reservation TEXT NOT NULL,
      reserved_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      answer TEXT,
      UNIQUE (owner, key)
    ) STRICT;
    CREATE INDEX config_reservations_by_expiry ON config_reservations (expires_at);
    `,
    `
    UPDATE config_organisations SET document = json_set(document, '$.defaultRicloudEndpoint', NULL);
    UPDATE config_keys SET document = json_set(document, '$.routesTo', NULL);
    UPDATE config_endpoints SET document = json_set(document,
      '$.dialect', 'standard',
      '$.verification', 'none',
      '$.verificationId', NULL,
      '$.verificationExpiresAt', NULL,
      '$.policyId', NULL,
      '$.editionId', NULL);
    -- What is searched by stands in the document; these columns only give it names, and the indexes something to hold.
    ALTER TABLE config_endpoints ADD COLUMN dialect TEXT AS (document ->> 'dialect');
    ALTER TABLE config_endpoints ADD COLUMN verification TEXT AS (document ->> 'verification');
    ALTER TABLE config_endpoints ADD COLUMN verification_id TEXT AS (document ->> 'verificationId');
    ALTER TABLE config_endpoints ADD COLUMN verification_expires_at TEXT AS (document ->> 'verificationExpiresAt');
    ALTER TABLE config_endpoints ADD COLUMN edition_id TEXT AS (document ->> 'editionId');
    ALTER TABLE config_endpoints ADD COLUMN name TEXT AS (document ->> 'name');
    ALTER TABLE config_endpoints ADD COLUMN created_at TEXT AS (document ->> 'createdAt');
    ALTER TABLE config_endpoints ADD COLUMN updated_at TEXT AS (document ->> 'updatedAt');
    CREATE INDEX config_endpoints_by_dialect ON config_endpoints (organisation_id, dialect, id);
    CREATE INDEX config_endpoints_by_dialect_anywhere ON config_endpoints (dialect, id);
    CREATE INDEX config_endpoints_unverified ON config_endpoints (verification_id)
      WHERE verification = 'pending' AND state <> 'disabled';
    CREATE TABLE config_policies (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      organisation_id TEXT NOT NULL,
      name TEXT NOT NULL UNIQUE,
      writes INTEGER NOT NULL,
      document TEXT NOT NULL,
      sealed TEXT NOT NULL
    ) STRICT;
    CREATE INDEX config_policies_by_organisation ON config_policies (organisation_id, number);
    `,
    `UPDATE config_endpoints SET document = json_set(document, '$.ordering', 'none', '$.onExhausted', 'skip')`,
    `
    -- Those that may name operational events: few, and looked for at every write of an endpoint.
    CREATE INDEX config_endpoints_operational ON config_endpoints (organisation_id)
      WHERE instr(document, '"posthorn.') > 0;
    `,
    `UPDATE config_endpoints SET document = json_set(document, '$.rateLimit', json('null'))`,
    `
    -- Ids begin with a time, so their order is that of the records.
    CREATE TABLE config_audit (
      id TEXT NOT NULL PRIMARY KEY,
      organisation_id TEXT,
      actor_id TEXT NOT NULL,
      action TEXT NOT NULL,
      resource_id TEXT,
      result TEXT NOT NULL,
      error_code TEXT,
      document TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX config_audit_by_organisation ON config_audit (organisation_id, id);
    CREATE INDEX config_audit_by_actor ON config_audit (actor_id, id);
    CREATE INDEX config_audit_by_resource ON config_audit (resource_id, id);
    CREATE INDEX config_audit_by_action ON config_audit (action, id);
    `,
  ],
};
