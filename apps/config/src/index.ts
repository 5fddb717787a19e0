export type { EncryptionStatus, KeyRotation, RotationStep } from './key-rotation.ts';
export type { KeyFile } from './keyring.ts';
export { defaultLimits, type ConfigLimits } from './limits.ts';
export { configMigrations } from './migrations.ts';
export { openOfflineKeyRotation } from './offline-key-rotation.ts';
export { createConfigService, type ConfigService, type ConfigServiceOptions } from './service.ts';
export { createMongoConfigStores } from './stores.mongo.ts';
export { createSqliteConfigStores } from './stores.sqlite.ts';
export type { ConfigStores } from './stores.ts';
