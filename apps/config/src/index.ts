export type { EncryptionStatus, KeyRotation, RotationStep } from './secrets/key-rotation.ts';
export type { KeyFile } from './secrets/keyring.ts';
export { defaultLimits, type ConfigLimits } from './organisations/limits.ts';
export { configMigrations } from './stores/migrations.ts';
export { openOfflineKeyRotation } from './secrets/offline-key-rotation.ts';
export { createConfigService, type ConfigService, type ConfigServiceOptions } from './service.ts';
export { createMongoConfigStores } from './stores/stores.mongo.ts';
export { createSqliteConfigStores } from './stores/stores.sqlite.ts';
export type { ConfigStores } from './stores/stores.ts';
