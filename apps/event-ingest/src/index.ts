export { createNetworkListener, type NetworkListenerOptions } from './network-listener.ts';
export {
  reservationMigrations,
  createSqliteReservationStore,
} from './reservations/reservation-store.sqlite.ts';
export type { ReservationStore } from './reservations/reservations.ts';
export { createSqliteUsageStore, usageMigrations } from './limits/usage-store.sqlite.ts';
export type { UsageStore } from './limits/usage-store.ts';
export { createIngestService, standardMaxPayloadBytes } from './service.ts';
export type { IngestDeps, IngestLimits, IngestService } from './service.ts';
