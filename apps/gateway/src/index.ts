export * from './clients.ts';
export type { GatewayConfig } from './config.ts';
export {
  dialectConfigSpec,
  dialectsConfigOf,
  standardDialects,
  type DialectsConfig,
} from './dialects/settings.ts';
export * from './gateway.ts';
export type { DialectName } from './dialects/prefixes.ts';
