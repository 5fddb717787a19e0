export { createSqliteDeliveryStore } from './delivery-store.sqlite.ts';
export { dispatcherMigrations } from './delivery-rows.sqlite.ts';
export { createSqliteEventStore } from './event-store.sqlite.ts';
export { createDispatcher, type Dispatcher, type DispatcherOptions } from './service.ts';
export { createWebhookClient } from './webhook-client.ts';
