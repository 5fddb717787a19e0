/** The generated modules of `posthorn.dispatch.v1` as one namespace; each repeats a few type-level names, of which one is taken. */
export * from './gen/posthorn/dispatch/v1/dispatch.ts';
export * from './gen/posthorn/dispatch/v1/erasures.ts';
export * from './gen/posthorn/dispatch/v1/replays.ts';
export {
  protobufFileName,
  protobufPackage,
  type DeepPartial,
  type Exact,
  type MessageFns,
} from './gen/posthorn/dispatch/v1/dispatch.ts';
