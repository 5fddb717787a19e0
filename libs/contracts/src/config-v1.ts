/** The generated modules of `posthorn.config.v1` as one namespace; each repeats a few type-level names, of which one is taken. */
export * from './gen/posthorn/config/v1/audit.ts';
export * from './gen/posthorn/config/v1/directory.ts';
export * from './gen/posthorn/config/v1/encryption.ts';
export * from './gen/posthorn/config/v1/endpoints.ts';
export * from './gen/posthorn/config/v1/event_types.ts';
export * from './gen/posthorn/config/v1/idempotency.ts';
export * from './gen/posthorn/config/v1/keys.ts';
export * from './gen/posthorn/config/v1/limits.ts';
export * from './gen/posthorn/config/v1/organisations.ts';
export * from './gen/posthorn/config/v1/policies.ts';
export {
  protobufFileName,
  protobufPackage,
  type DeepPartial,
  type Exact,
  type MessageFns,
} from './gen/posthorn/config/v1/endpoints.ts';
