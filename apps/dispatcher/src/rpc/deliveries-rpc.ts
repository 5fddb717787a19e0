import { deliveryStateTable, attemptOutcomeTable, attemptToMessage, dispatchV1 } from '@posthorn/contracts';
import { DomainError, type Delivery } from '@posthorn/models';
import { defineService, requireOrganisation, type CallContext } from '@posthorn/rpc';
import type { Clock } from '@posthorn/runtime';
import type { DeliveryStore } from '../deliveries/delivery-store.ts';
import type { DeliveryView } from './delivery-view.ts';
import type { Directory } from '../directory.ts';
import type { EventStore } from '../events/event-store.ts';
import type { Lanes } from '../lanes/lanes.ts';
import type { OnDemand } from '../on-demand.ts';
import { pageRequest } from './page-request.ts';
import type { SearchHandlers } from './search-rpc.ts';
import { findYoung } from './young-record.ts';

/** Step 10: someone looks. Reading and acting on deliveries and attempts, one organisation at a time. */
export function createDeliveryRpc(options: {
  readonly deliveries: DeliveryStore;
  readonly events: EventStore;
  readonly directory: Pick<Directory, 'bringUpToDate' | 'load' | 'endpoint'>;
  readonly lanes: Lanes;
  readonly onDemand: OnDemand;
  readonly search: SearchHandlers;
  readonly view: DeliveryView;
  readonly clock: Clock;
}) {
  const { deliveries, events, directory, lanes, onDemand, view, clock } = options;

  async function find(organisationId: string, id: string, ctx: CallContext) {
    requireOrganisation(ctx.principal, organisationId);
    const found = await findYoung(id, () => deliveries.get(organisationId, id), {
      clock,
      signal: () => ctx.signal,
    });
    if (found === null) throw new DomainError('not_found', `There is no delivery ${id}.`);
    return found;
  }

  /** The deliveries of an event lie within its time; null when there is no such event. */
  async function eventRange(organisationId: string, eventId: string | undefined) {
    if (eventId === undefined) return undefined;
    const event = await events.get(organisationId, eventId);
    return event === null ? null : { id: event.id, acceptedAt: event.acceptedAt };
  }

  async function isDisabled({ organisationId, endpointId }: Delivery): Promise<boolean> {
    await directory.bringUpToDate();
    await directory.load([organisationId]);
    return directory.endpoint(organisationId, endpointId)?.endpoint.state === 'disabled';
  }

  return defineService(dispatchV1.DeliveryServiceService, {
    ...options.search,

    async getDelivery({ organisationId, id }, ctx) {
      const { delivery, lastAttempt } = await find(organisationId, id, ctx);
      return { delivery: view(delivery, lastAttempt) };
    },

    async listDeliveries(request, ctx) {
      requireOrganisation(ctx.principal, request.organisationId);
      const event = await eventRange(request.organisationId, request.eventId);
      if (event === null) return { deliveries: [], nextCursor: '' };
      const { items, nextCursor } = await deliveries.listDeliveries(
        {
          organisationId: request.organisationId,
          endpointId: request.endpointId,
          event,
          eventType: request.eventType,
          states: request.states.map((state) => deliveryStateTable.fromMessage(state, '?state')),
          statusClass: request.statusClass,
          after: request.after,
          before: request.before,
        },
        pageRequest(request),
      );
      return {
        deliveries: items.map(({ delivery, lastAttempt }) => view(delivery, lastAttempt)),
        nextCursor,
      };
    },

    async listAttempts(request, ctx) {
      requireOrganisation(ctx.principal, request.organisationId);
      const event = await eventRange(request.organisationId, request.eventId);
      if (event === null) return { attempts: [], nextCursor: '' };
      const { items, nextCursor } = await deliveries.listAttempts(
        {
          organisationId: request.organisationId,
          deliveryId: request.deliveryId,
          endpointId: request.endpointId,
          event,
          eventType: request.eventType,
          outcome:
            request.outcome === undefined
              ? undefined
              : attemptOutcomeTable.fromMessage(request.outcome, '?outcome'),
          statusClass: request.statusClass,
          after: request.after,
          before: request.before,
        },
        pageRequest(request),
      );
      return { attempts: items.map(attemptToMessage), nextCursor };
    },

    async retryDelivery({ organisationId, id, skipWhenDisabled = false }, ctx) {
      const { delivery, lastAttempt } = await find(organisationId, id, ctx);
      if (skipWhenDisabled && (await isDisabled(delivery))) {
        const leftOut = await deliveries.leaveOut(organisationId, id);
        return { delivery: view(leftOut ?? delivery, lastAttempt) };
      }
      const event = await events.get(organisationId, delivery.eventId);
      if (event === null) {
        throw new DomainError(
          'failed_precondition',
          "The event's payload is not kept any more, so it cannot be sent again.",
        );
      }
      const [retried] = await onDemand.start([{ delivery, event }], 'manual');
      return { delivery: view(retried ?? delivery, lastAttempt) };
    },

    async cancelDelivery({ organisationId, id }, ctx) {
      const { lastAttempt } = await find(organisationId, id, ctx);
      const ended = (state: string): DomainError =>
        new DomainError('failed_precondition', `The delivery has ended already: it is ${state}.`);
      const cancelled = await deliveries.cancel(organisationId, id, new Date(clock.now()));
      if (cancelled === null) throw ended((await find(organisationId, id, ctx)).delivery.state);
      lanes.withdraw(id);
      lanes.keys.recheckEndpoint(cancelled.endpointId);
      return { delivery: view(cancelled, lastAttempt) };
    },
  });
}
