import type { Event } from '@posthorn/models';
import type { DeliveryStore } from './delivery-store.ts';
import type { EventStore } from '../events/event-store.ts';

/** Both stores of the dispatcher, on events that were put on record. */
export interface StoresUnderTest {
  readonly deliveries: DeliveryStore;
  readonly events: EventStore;
  recordEvent(event: Event): Promise<unknown>;
  close(): Promise<void>;
}
