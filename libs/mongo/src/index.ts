export * from './mongo-collection.ts';
export * from './mongo-database.ts';
export type { QueryPlan } from './query-plans.ts';
