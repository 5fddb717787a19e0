import { exhaustedEvent, isOperationalEventType, type OperationalEvent } from '@posthorn/models';
import type { DeliveryRecord } from '../deliveries/delivery-store.ts';
import type { OrganisationView } from '../directory.ts';
import { isWanted } from './wanted-event.ts';

/**
 * Tells an organisation that a delivery is exhausted, once that is on record and where one of its endpoints would get it: publishing
 * costs as much as any event. Of what tells of something itself nothing is told, so a receiver of such events that fails makes no more
 * of them. What a process that is killed hasn't told yet isn't told any more.
 */
export interface ExhaustedNotices {
  /** Told what was just put on record. */
  observe(records: readonly DeliveryRecord[]): void;
}

export function createExhaustedNotices({
  directory,
  publish,
}: {
  readonly directory: {
    organisation(organisationId: string): Pick<OrganisationView, 'endpoints' | 'matcher'> | null;
  };
  readonly publish: (event: OperationalEvent) => void;
}): ExhaustedNotices {
  function consider({ delivery, attempt }: DeliveryRecord): void {
    if (delivery.state !== 'exhausted' || attempt === null || isOperationalEventType(delivery.eventType))
      return;
    const view = directory.organisation(delivery.organisationId);
    const signing = view?.endpoints.get(delivery.endpointId);
    if (view === null || signing === undefined) return;
    const event = exhaustedEvent({ delivery, attempt, endpoint: signing.endpoint });
    if (isWanted(event, view)) publish(event);
  }

  return {
    observe(records) {
      for (const record of records) consider(record);
    },
  };
}
