export * from './clients.ts';
export * from './config.ts';
export * from './gateway.ts';
