export * from './event-log.ts';
export * from './sqlite-event-log.ts';
