export * from './eventually.ts';
export * from './fake-clock.ts';
export * from './name-server.ts';
export * from './received-request.ts';
export * from './receiver-behaviours.ts';
export * from './receiver.ts';
export * from './seeded-random.ts';
export * from './test-authority.ts';
