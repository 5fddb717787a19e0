import type { AttemptTrigger, Delivery, DeliveryState, Event } from '@posthorn/models';
import type { DeliveryOrder } from '../deliveries/delivery-store.ts';
import type { EventPlace } from '../events/event-store.ts';

/**
 * What replays ask of the stores of deliveries and events: to walk over them from the oldest on, a few rows at a time whatever is wanted
 * of them, and to make some due again. Adapters: `replay-store.sqlite.ts` and `replay-store.mongo.ts`; both pass
 * `replay-store.contract.ts`.
 */
export interface ReplayStore {
  /** Deliveries to one endpoint in order of id, which is that of their events' times: those after `after`, up to and with `to`. */
  walkDeliveries(walk: DeliveryWalk): Promise<readonly ReplayableDelivery[]>;
  /** Events of an organisation as they were accepted, the oldest first. Tests of endpoints aren't among them. */
  walkEvents(walk: EventWalk): Promise<EventSlice>;
  /** Those of these deliveries that are on record, by id. */
  findDeliveries(
    organisationId: string,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, ReplayableDelivery>>;
  /** Where these events stand, by id; one whose payload isn't kept any more is missing. */
  placesOf(organisationId: string, eventIds: readonly string[]): Promise<ReadonlyMap<string, KeyedPlace>>;
  /**
   * Makes deliveries due for an attempt, those only that are still in one of the states and in nobody's hands; with an order, in their
   * places under their keys, the first of a key first: its head is due at once, the others when they are promoted. Answers the ids of
   * those that it did.
   * Doing it twice does nothing more.
   */
  makeDue(request: MakeDueRequest): Promise<ReadonlySet<string>>;
  /** How many deliveries to an endpoint could go out if it took them: due, or behind others of their key; counted up to `limit`. */
  backlog(
    lane: { readonly organisationId: string; readonly endpointId: string },
    now: Date,
    limit: number,
  ): Promise<number>;
}

export interface DeliveryWalk {
  readonly organisationId: string;
  readonly endpointId: string;
  readonly after: string;
  readonly to: string;
  readonly limit: number;
}

export interface ReplayableDelivery {
  readonly delivery: Delivery;
  /** HTTP status of the last attempt. */
  readonly lastStatus: number | null;
}

export interface EventWalk {
  readonly organisationId: string;
  /** Where the last slice ended; empty at the beginning. */
  readonly after: string;
  /** Accepted from then on, and before then. */
  readonly since: Date;
  readonly until: Date;
  readonly limit: number;
}

export interface EventSlice {
  readonly events: readonly PlacedEvent[];
  /** Where to go on; null at the end. */
  readonly next: string | null;
}

export interface PlacedEvent extends EventPlace {
  readonly event: Event;
}

export interface KeyedPlace extends EventPlace {
  readonly orderingKey: string | null;
}

export interface MakeDueRequest {
  readonly items: readonly {
    readonly organisationId: string;
    readonly id: string;
    readonly order: DeliveryOrder | null;
    /** Whether who asks is the owner of its partition; else the owner is told of what is put in its place under a key. */
    readonly isOurs: boolean;
  }[];
  readonly states: readonly DeliveryState[];
  readonly trigger: AttemptTrigger;
  /** By the due clock. */
  readonly now: Date;
}
