import { idTimeMs, type Retention } from '@posthorn/models';
import type { Directory } from '../directory.ts';

/**
 * Until when what is written down is kept, where the database itself removes what has expired: it is written with the day on which it
 * goes, by what its organisation keeps at that moment. Null when that isn't known yet: the sweeper (retention.ts) removes what has no
 * such day, and what goes earlier because its organisation keeps less by now.
 */
export interface Expiry {
  /** Of an event, by when it was accepted. */
  payloadUntil(organisationId: string, acceptedAt: Date): Date | null;
  /** Of a delivery and its attempts, by the time that the delivery's id begins with: what belongs together goes together. */
  deliveryUntil(organisationId: string, deliveryId: string): Date | null;
  /** Of a task, by when it was created. */
  taskUntil(organisationId: string, createdAt: Date): Date | null;
}

/** How much later than that the database removes it: its clock isn't ours, and it must not be the earlier one. */
export const removalDelaySeconds = 60 * 60;

/** How a collection of such documents is cleared by the database. */
export const expiryIndex = {
  name: 'expiry',
  key: { expiresAt: 1 },
  expireAfterSeconds: removalDelaySeconds,
} as const;

/** Nothing is removed by the database. */
export const noExpiry: Expiry = {
  payloadUntil: () => null,
  deliveryUntil: () => null,
  taskUntil: () => null,
};

const dayMs = 86_400_000;

/** Knows nothing until it is told whose view of the organisations to follow: stores are there before that is. */
export function createExpiry(): Expiry & { follow(directory: Pick<Directory, 'organisation'>): void } {
  let directory: Pick<Directory, 'organisation'> | null = null;

  function until(organisationId: string, fromMs: number, kept: keyof Retention): Date | null {
    const view = directory?.organisation(organisationId) ?? null;
    return view === null ? null : new Date(fromMs + view.organisation.retention[kept] * dayMs);
  }

  return {
    follow: (followed) => void (directory = followed),
    payloadUntil: (id, acceptedAt) => until(id, acceptedAt.getTime(), 'payloadDays'),
    deliveryUntil: (id, deliveryId) => until(id, idTimeMs(deliveryId), 'metadataDays'),
    taskUntil: (id, createdAt) => until(id, createdAt.getTime(), 'metadataDays'),
  };
}

/** A document's day, absent when it isn't known. */
export interface Expiring {
  readonly expiresAt?: Date;
}

export function expiring(expiresAt: Date | null): Expiring {
  return expiresAt === null ? {} : { expiresAt };
}
