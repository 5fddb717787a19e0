import { DomainError, type AttemptTrigger, type Delivery, type Event } from '@posthorn/models';
import type { Clock } from '@posthorn/runtime';
import type { DeliveryStore } from './delivery-store.ts';
import type { Directory } from './directory.ts';
import { claimedUntil } from './due.ts';
import type { DueClock } from './due-clock.ts';
import type { Lanes } from './lanes.ts';
import { queuedDelivery } from './queued-delivery.ts';

/**
 * Attempts that someone asked for: a retry of one delivery, a replay of an event. They go out at once, whatever the state of
 * the delivery and of its endpoint; a delivery that is in this process's hands already goes out anyway and is left alone.
 */
export interface OnDemand {
  /**
   * Starts an attempt of each; answers the deliveries as they are now, in the same order.
   * Errors: `failed_precondition` when the endpoint of one is no more, `unavailable`.
   */
  start(
    requests: readonly OnDemandRequest[],
    trigger: Extract<AttemptTrigger, 'manual' | 'replay'>,
  ): Promise<readonly Delivery[]>;
}

export interface OnDemandRequest {
  readonly delivery: Delivery;
  readonly event: Event;
}

export function createOnDemand(options: {
  readonly deliveries: DeliveryStore;
  readonly directory: Directory;
  readonly lanes: Lanes;
  readonly claim: string;
  readonly clock: Clock;
  readonly dueClock: DueClock;
}): OnDemand {
  const { deliveries, directory, lanes, claim, clock, dueClock } = options;

  async function startOne(
    { delivery, event }: OnDemandRequest,
    trigger: Extract<AttemptTrigger, 'manual' | 'replay'>,
  ): Promise<Delivery> {
    const endpoint = directory.endpoint(delivery.organisationId, delivery.endpointId);
    if (endpoint === undefined) {
      throw new DomainError('failed_precondition', 'The endpoint was deleted, so nothing can be sent to it.');
    }
    const inHand = lanes.find(delivery.id);
    if (inHand !== undefined && !lanes.withdraw(delivery.id)) return inHand.delivery;
    const [claimed] = await deliveries.claimNow({
      deliveries: [delivery],
      trigger,
      claim,
      claimedUntil: claimedUntil(dueClock.now(), endpoint),
    });
    if (claimed === undefined) return delivery;
    lanes.expedite(
      queuedDelivery({
        delivery: claimed,
        event,
        claim,
        mark: inHand?.mark ?? null,
        queuedAt: clock.monotonic(),
        expedited: true,
      }),
    );
    return claimed;
  }

  return {
    async start(requests, trigger) {
      await directory.bringUpToDate();
      await directory.load(new Set(requests.map(({ delivery }) => delivery.organisationId)));
      return Promise.all(requests.map((request) => startOne(request, trigger)));
    },
  };
}
