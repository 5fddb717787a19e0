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
  ],
};
