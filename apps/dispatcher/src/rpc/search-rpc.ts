import { attemptToMessage, deliveryStateTable, dispatchV1, eventToMessage } from '@posthorn/contracts';
import type { Event } from '@posthorn/models';
import type { CallContext } from '@posthorn/rpc';
import type { Clock } from '@posthorn/runtime';
import type { DeliverySearch, DeliverySearchOrder } from '../deliveries/delivery-search.ts';
import type { DeliveryWithLast } from '../deliveries/delivery-store.ts';
import type { DeliveryView } from './delivery-view.ts';
import type { Directory } from '../directory.ts';
import type { Envelopes } from '../envelope/envelope.ts';
import type { EventStore } from '../events/event-store.ts';
import { requireOrganisations } from './require-organisations.ts';
import { searchPage } from './search-page.ts';

/** Of events and bodies in one answer, which has one item at least: half of what a message between the services may have. */
const maxAnswerBytes = 8 * 1024 * 1024;

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

  /** Shows what was found, as far as it fits into an answer: each with its event and body where they were asked for. */
  async function show(
    items: readonly DeliveryWithLast[],
    { includeEvent, includeBody }: Wanted,
  ): Promise<dispatchV1.FoundDelivery[]> {
    if (includeBody && items.length > 0) {
      await directory.bringUpToDate();
      await directory.load(new Set(items.map(({ delivery }) => delivery.organisationId)));
    }
    const found: dispatchV1.FoundDelivery[] = [];
    let bytes = 0;
    for (const item of items) {
      const { organisationId, eventId } = item.delivery;
      const event = includeEvent || includeBody ? await events.get(organisationId, eventId) : null;
      const body = includeBody && event !== null ? bodyOf(item, event) : undefined;
      bytes += (includeEvent ? (event?.payload.byteLength ?? 0) : 0) + (body?.byteLength ?? 0);
      if (bytes > maxAnswerBytes && found.length > 0) return found;
      found.push({
        delivery: view(item.delivery, item.lastAttempt),
        event: includeEvent && event !== null ? eventToMessage(event) : undefined,
        body,
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
      const shown = await show(items, request);
      return { items: shown, total: BigInt(total), hasMore: hasMore || shown.length < items.length };
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
        items: deliveries.map((delivery, index) => {
          const attempt = items[index]?.attempt;
          return { attempt: attempt === undefined ? undefined : attemptToMessage(attempt), delivery };
        }),
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
