import { attemptToMessage, deliveryStateTable, dispatchV1, eventToMessage } from '@posthorn/contracts';
import type { Event } from '@posthorn/models';
import type { CallContext } from '@posthorn/rpc';
import type { Clock } from '@posthorn/runtime';
import type { DeliverySearch, DeliverySearchOrder } from './delivery-search.ts';
import type { DeliveryWithLast } from './delivery-store.ts';
import type { DeliveryView } from './delivery-view.ts';
import type { Directory } from './directory.ts';
import type { Envelopes } from './envelope/envelope.ts';
import type { EventStore } from './event-store.ts';
import { requireOrganisations } from './require-organisations.ts';
import { searchPage } from './search-page.ts';

export type SearchHandlers = ReturnType<typeof createSearchHandlers>;

/** The part of DeliveryService that searches: over several organisations, with exact totals, bodies and events. */
export function createSearchHandlers(options: {
  readonly search: DeliverySearch;
  readonly events: Pick<EventStore, 'get'>;
  readonly directory: Pick<Directory, 'bringUpToDate' | 'load' | 'organisation' | 'endpoint'>;
  readonly envelopes: Pick<Envelopes, 'body'>;
  readonly view: DeliveryView;
  readonly clock: Clock;
}) {
  const { search, events, directory, envelopes, view, clock } = options;

  interface Wanted {
    readonly includeEvent: boolean;
    readonly includeBody: boolean;
  }

  /** Shows what was found: each with its event and body where they were asked for. */
  async function show(
    items: readonly DeliveryWithLast[],
    { includeEvent, includeBody }: Wanted,
  ): Promise<dispatchV1.FoundDelivery[]> {
    if (includeBody && items.length > 0) {
      await directory.bringUpToDate();
      await directory.load(new Set(items.map(({ delivery }) => delivery.organisationId)));
    }
    const found: dispatchV1.FoundDelivery[] = [];
    for (const item of items) {
      const { organisationId, eventId } = item.delivery;
      const event = includeEvent || includeBody ? await events.get(organisationId, eventId) : null;
      found.push({
        delivery: view(item.delivery, item.lastAttempt),
        event: includeEvent && event !== null ? eventToMessage(event) : undefined,
        body: includeBody && event !== null ? bodyOf(item, event) : undefined,
      });
    }
    return found;
  }

  function bodyOf({ delivery }: DeliveryWithLast, event: Event): Buffer | undefined {
    const known = directory.organisation(delivery.organisationId);
    const target = directory.endpoint(delivery.organisationId, delivery.endpointId);
    if (known === null || target === undefined) return undefined;
    const { organisation, policies } = known;
    return envelopes.body({ event, delivery, target, organisation, policies, at: new Date(clock.now()) });
  }

  return {
    async searchDeliveries(request: dispatchV1.SearchDeliveriesRequest, { principal, signal }: CallContext) {
      requireOrganisations(principal, request.organisationIds);
      const { limit, offset } = searchPage(request);
      const { items, total, hasMore } = await search.deliveries(
        {
          organisationIds: request.organisationIds,
          endpointIds: request.endpointIds,
          ids: request.ids,
          eventId: request.eventId ?? null,
          states: request.states.map((state) => deliveryStateTable.fromMessage(state, '?state')),
          reasons: request.reasons,
          eventTypes: request.eventTypes,
          createdAfter: request.createdAfter ?? null,
          createdBefore: request.createdBefore ?? null,
          orderBy: orders[request.orderBy],
          descending: request.descending,
          page: { limit, offset, afterId: request.afterId || null, beforeId: request.beforeId || null },
        },
        signal,
      );
      return { items: await show(items, request), total: BigInt(total), hasMore };
    },

    async searchAttempts(request: dispatchV1.SearchAttemptsRequest, { principal, signal }: CallContext) {
      requireOrganisations(principal, request.organisationIds);
      const { limit, offset } = searchPage(request);
      const { items, total } = await search.attempts(
        {
          organisationIds: request.organisationIds,
          endpointIds: request.endpointIds,
          startedAfter: request.startedAfter ?? null,
          startedBefore: request.startedBefore ?? null,
          succeeded: request.succeeded ?? null,
          statusClass: request.statusClass ?? null,
          eventTypes: request.eventTypes,
          text: request.query,
          limit,
          offset,
        },
        signal,
      );
      const deliveries = await show(items, request);
      return {
        items: items.map(({ attempt }, index) => ({
          attempt: attemptToMessage(attempt),
          delivery: deliveries[index],
        })),
        total: BigInt(total),
      };
    },
  };
}

const {
  DELIVERY_ORDER_UNSPECIFIED,
  DELIVERY_ORDER_CREATED,
  DELIVERY_ORDER_MODIFIED,
  DELIVERY_ORDER_EVENT_TYPE,
} = dispatchV1.DeliveryOrder;
const orders = {
  [DELIVERY_ORDER_UNSPECIFIED]: 'created',
  [DELIVERY_ORDER_CREATED]: 'created',
  [DELIVERY_ORDER_MODIFIED]: 'modified',
  [DELIVERY_ORDER_EVENT_TYPE]: 'event_type',
} as const satisfies Record<dispatchV1.DeliveryOrder, DeliverySearchOrder>;
