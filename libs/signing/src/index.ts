export * from './secret-format.ts';
export * from './signing-key.ts';
export * from './standard-webhooks.ts';
export * from './verify.ts';
