import { dispatchV1, eventToMessage } from '@posthorn/contracts';
import { createDeliveryIds, DomainError, type Event, type Violation } from '@posthorn/models';
import { defineService, requireOrganisation, type CallContext } from '@posthorn/rpc';
import { sleep, type Clock } from '@posthorn/runtime';
import type { DeliveryStore, DeliveryWithLast } from '../deliveries/delivery-store.ts';
import type { DeliveryView } from './delivery-view.ts';
import type { Directory } from '../directory.ts';
import type { EventStore } from '../events/event-store.ts';
import type { Lanes } from '../lanes/lanes.ts';
import type { OnDemand, OnDemandRequest } from '../on-demand.ts';
import { pageRequest } from './page-request.ts';
import { newDelivery } from '../plan.ts';
import type { IsPlanned } from '../ownership/planned.ts';
import { findYoung } from './young-record.ts';

const longestWaitMs = 6000;
const lookEveryMs = 25;

/** Step 10: someone looks at events, or has one sent again. */
export function createEventRpc(options: {
  readonly events: EventStore;
  readonly deliveries: DeliveryStore;
  readonly directory: Directory;
  readonly onDemand: OnDemand;
  readonly lanes: Pick<Lanes, 'find'>;
  readonly isPlanned: IsPlanned;
  readonly view: DeliveryView;
  readonly clock: Clock;
}) {
  const { events, deliveries, directory, onDemand, lanes, isPlanned, view, clock } = options;

  async function find(organisationId: string, id: string, ctx: CallContext): Promise<Event> {
    requireOrganisation(ctx.principal, organisationId);
    const event = await findYoung(id, () => events.get(organisationId, id), {
      clock,
      signal: () => ctx.signal,
    });
    if (event === null) throw new DomainError('not_found', `There is no event ${id}.`);
    return event;
  }

  /** Every delivery that the event has, of endpoints that still are; an event has at most one for each endpoint. */
  async function deliveriesOf(event: Event): Promise<OnDemandRequest[]> {
    await directory.bringUpToDate();
    await directory.load([event.organisationId]);
    const found: OnDemandRequest[] = [];
    for (let cursor = ''; ;) {
      const page = await deliveries.listDeliveries(
        { organisationId: event.organisationId, event },
        { limit: 250, cursor },
      );
      for (const { delivery } of page.items) {
        const endpoint = directory.endpoint(event.organisationId, delivery.endpointId);
        if (endpoint !== undefined) found.push({ delivery, event });
      }
      cursor = page.nextCursor;
      if (cursor === '') return found;
    }
  }

  /**
   * The delivery of that id, once whatever is planned of the event is on record or in this process's hands: what would be made
   * besides would go out twice. Errors: `unavailable` when that takes longer than what is planned waits in memory.
   */
  async function planned(event: Event, id: string): Promise<DeliveryWithLast | null> {
    const { organisationId } = event;
    const until = clock.monotonic() + longestWaitMs;
    for (;;) {
      const place = await events.placeOf(organisationId, event.id);
      const isThrough = place === null || lanes.find(id) !== undefined || (await isPlanned(place));
      const onRecord = await deliveries.get(organisationId, id);
      if (onRecord !== null || isThrough) return onRecord;
      if (clock.monotonic() >= until) {
        throw new DomainError('unavailable', `The event ${event.id} is still being planned; try again.`, {
          retryAfterMs: 1000,
        });
      }
      await sleep(clock, lookEveryMs);
    }
  }

  /** The deliveries to the endpoints named, those that don't exist yet included. */
  async function deliveriesTo(event: Event, named: readonly string[]): Promise<OnDemandRequest[]> {
    const { organisationId, acceptedAt } = event;
    await directory.bringUpToDate();
    await directory.load([organisationId]);
    const endpoints = [...(directory.organisation(organisationId)?.endpoints.values() ?? [])];
    const idFor = createDeliveryIds({ acceptedAt, organisationId, eventId: event.id });
    const violations: Violation[] = [];
    const requests: OnDemandRequest[] = [];
    const asked = new Set<string>();
    for (const [index, name] of named.entries()) {
      const endpoint = endpoints.find((one) => one.endpoint.id === name || one.endpoint.uid === name);
      if (endpoint === undefined) {
        violations.push({
          field: `/endpoints/${index}`,
          code: 'unknown',
          message: 'This names no endpoint of this organisation.',
        });
        continue;
      }
      const id = idFor(endpoint.endpoint.id);
      if (asked.has(id)) continue;
      asked.add(id);
      const known = await planned(event, id);
      requests.push({
        event,
        delivery: known?.delivery ?? newDelivery(event, endpoint.endpoint.id, id, new Date(clock.now())),
      });
    }
    if (violations.length > 0) throw DomainError.invalid(violations);
    return requests;
  }

  return defineService(dispatchV1.EventServiceService, {
    async getEvent({ organisationId, id }, ctx) {
      return { event: eventToMessage(await find(organisationId, id, ctx)) };
    },

    async listEvents(request, ctx) {
      requireOrganisation(ctx.principal, request.organisationId);
      const { items, nextCursor } = await events.list(
        {
          organisationId: request.organisationId,
          type: request.type,
          labels: request.labels,
          subject: request.subject,
          idempotencyKey: request.idempotencyKey,
          after: request.after,
          before: request.before,
        },
        pageRequest(request),
      );
      return { events: items.map(eventToMessage), nextCursor };
    },

    async replayEvent({ organisationId, id, endpoints }, ctx) {
      const event = await find(organisationId, id, ctx);
      const requests =
        endpoints.length === 0 ? await deliveriesOf(event) : await deliveriesTo(event, endpoints);
      const started = await onDemand.start(requests, 'replay');
      return {
        deliveries: await Promise.all(
          started.map(async (delivery) => {
            const recorded = await deliveries.get(organisationId, delivery.id);
            return view(delivery, recorded?.lastAttempt ?? null);
          }),
        ),
      };
    },
  });
}
