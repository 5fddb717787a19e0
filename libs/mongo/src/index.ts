export * from './mongo-collection.ts';
export * from './mongo-database.ts';
export * from './mongo-settings.ts';
export type { QueryPlan } from './query-plans.ts';
