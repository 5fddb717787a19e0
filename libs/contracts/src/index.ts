export * from './api-key-message.ts';
export * from './attempt-message.ts';
export * from './audit-message.ts';
export * from './delivery-message.ts';
export * from './endpoint-message.ts';
export * from './erasure-message.ts';
export * from './event-message.ts';
export * from './event-record.ts';
export * from './event-type-message.ts';
export * from './field-mask.ts';
export * from './limits-message.ts';
export * from './organisation-message.ts';
export * from './policy-message.ts';
export * from './refusal-message.ts';
export * from './replay-message.ts';
export * from './secret-message.ts';
export * from './signing-endpoint-message.ts';
export * from './task-message.ts';

export * as configV1 from './config-v1.ts';
export * as dispatchV1 from './dispatch-v1.ts';
export * as ingestV1 from './gen/posthorn/ingest/v1/ingest.ts';
export * as logV1 from './gen/posthorn/log/v1/record.ts';

export * as googleRpc from './google-rpc.ts';
export * as grpcHealthV1 from './gen/grpc/health/v1/health.ts';
export * as grpcReflectionV1 from './gen/grpc/reflection/v1/reflection.ts';
export { fileDescriptors, type FileDescriptor } from './gen/descriptors.ts';
