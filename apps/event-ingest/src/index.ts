export { createNetworkListener, type NetworkListenerOptions } from './network-listener.ts';
export { reservationMigrations, createSqliteReservationStore } from './reservation-store.sqlite.ts';
export type { ReservationStore } from './reservations.ts';
export { createIngestService, standardMaxPayloadBytes } from './service.ts';
export type { IngestDeps, IngestLimits, IngestService } from './service.ts';
