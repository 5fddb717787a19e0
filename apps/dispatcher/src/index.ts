export { createSqliteDeadRecordStore } from './dead-record-store.sqlite.ts';
export { createSqliteLeaseStore } from './lease-store.sqlite.ts';
export { createSqliteDeliverySearch } from './delivery-search.sqlite.ts';
export { createSqliteDeliveryStore } from './delivery-store.sqlite.ts';
export { dispatcherMigrations } from './delivery-rows.sqlite.ts';
export { createSqliteEventStore } from './event-store.sqlite.ts';
export { createSqliteTaskStore, taskMigrations } from './task-store.sqlite.ts';
export { createDispatcher, type Dispatcher, type DispatcherOptions } from './service.ts';
export { createWebhookClient } from './webhook-client.ts';
