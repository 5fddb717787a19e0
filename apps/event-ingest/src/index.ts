export { createNetworkListener, type NetworkListenerOptions } from './network-listener.ts';
export { reservationMigrations, createSqliteReservationStore } from './reservation-store.sqlite.ts';
export type { ReservationStore } from './reservations.ts';
export { createSqliteUsageStore, usageMigrations } from './usage-store.sqlite.ts';
export type { UsageStore } from './usage-store.ts';
export { createIngestService, standardMaxPayloadBytes } from './service.ts';
export type { IngestDeps, IngestLimits, IngestService } from './service.ts';
