export * from './api-key.ts';
export * from './attempt.ts';
export * from './delivery.ts';
export * from './endpoint.ts';
export * from './errors.ts';
export * from './event.ts';
export * from './event-type.ts';
export * from './organisation.ts';
