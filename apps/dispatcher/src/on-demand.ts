import {
  DomainError,
  type AttemptTrigger,
  type Delivery,
  type Event,
  type SigningEndpoint,
} from '@posthorn/models';
import { sleep, type Clock } from '@posthorn/runtime';
import type { DeliveryStore } from './deliveries/delivery-store.ts';
import type { Directory } from './directory.ts';
import { claimedUntil } from './due.ts';
import type { DueClock } from './due-clock.ts';
import type { EventPlace, EventStore } from './events/event-store.ts';
import { blocksItsKey } from './lanes/endpoint-order.ts';
import { gateOf } from './lanes/gate.ts';
import type { Lanes } from './lanes/lanes.ts';
import type { Ownership } from './ownership/ownership.ts';
import { orderOf } from './plan.ts';
import { queuedDelivery, takeMark } from './lanes/queued-delivery.ts';
import { closedEndpoint } from './replays/replay-job.ts';
import type { Recorder } from './record.ts';

/**
 * Attempts that someone asked for: a retry of one delivery, a replay of an event. They go out at once, whatever the state of
 * the delivery and of its endpoint; a delivery that is in this process's hands already goes out anyway and is left alone. To an
 * endpoint that wants order, they wait in their place for those before them; but what a disabled one has is out of the order, all
 * but what blocks a key. What belongs to another dispatcher's partition is left to that one.
 */
export interface OnDemand {
  /**
   * Starts an attempt of each; answers the deliveries as they are now, in the same order.
   * Errors: `failed_precondition` when the endpoint of one is no more, or when it is disabled and the delivery blocks a key of it;
   * `unavailable`, also when the endpoint is disabled and another dispatcher has the delivery.
   */
  start(requests: readonly OnDemandRequest[], trigger: OnDemandTrigger): Promise<readonly Delivery[]>;
}

type OnDemandTrigger = Exclude<AttemptTrigger, 'test'>;

export interface OnDemandRequest {
  readonly delivery: Delivery;
  readonly event: Event;
}

const elsewhere =
  'The endpoint is disabled, and the dispatcher that was asked does not have this delivery. Try again, or enable the endpoint first.';
const longestWaitMs = 2000;
const lookEveryMs = 25;

function isDisabled(endpoint: SigningEndpoint): boolean {
  return gateOf(endpoint).kind === 'closed';
}

export function createOnDemand(options: {
  readonly deliveries: DeliveryStore;
  readonly directory: Directory;
  readonly lanes: Lanes;
  readonly recorder: Pick<Recorder, 'planned'>;
  readonly events: Pick<EventStore, 'placeOf'>;
  /** The partition that alone sends to an endpoint, if there is one. */
  readonly homeOf: (endpoint: SigningEndpoint) => number | null;
  readonly ownership: Pick<Ownership, 'find'>;
  readonly clock: Clock;
  readonly dueClock: DueClock;
}): OnDemand {
  const { deliveries, events, directory, ownership, lanes, recorder, clock, dueClock } = options;

  async function startOne({ delivery, event }: OnDemandRequest, trigger: OnDemandTrigger): Promise<Delivery> {
    const { id, organisationId, endpointId } = delivery;
    const endpoint = directory.endpoint(organisationId, endpointId);
    if (endpoint === undefined) {
      throw new DomainError('failed_precondition', 'The endpoint was deleted, so nothing can be sent to it.');
    }
    if (isDisabled(endpoint) && event.orderingKey !== null && blocksItsKey(delivery, endpoint.endpoint)) {
      throw closedEndpoint(endpoint);
    }
    const place = await events.placeOf(organisationId, event.id);
    const { position = 0 } = place ?? {};
    const partition = options.homeOf(endpoint) ?? place?.partition ?? 0;
    const holding = ownership.find(partition);
    if (holding?.state !== 'held') {
      // Its owner looks for nothing of such an endpoint in storage: there it would be lost.
      if (isDisabled(endpoint)) throw new DomainError('unavailable', elsewhere);
      return leaveToOwner(delivery, { partition, position }, event, trigger);
    }
    await recorded(id);
    const inHand = lanes.find(id);
    const order = isDisabled(endpoint) ? null : orderOf(event, position, endpoint);
    if (inHand !== undefined && (order !== null || !lanes.withdraw(id))) return inHand.delivery;
    const now = dueClock.now();
    const claimed = await deliveries
      .claimNow({
        delivery,
        partition,
        epoch: holding.epoch,
        order,
        trigger,
        now: new Date(now),
        claim: holding.claim,
        claimedUntil: claimedUntil(now, endpoint),
      })
      .catch((error: unknown) => {
        if (inHand !== undefined) lanes.offer({ ...inHand, done: false });
        throw error;
      });
    if (order !== null) {
      lanes.keys.recheck(holding, { organisationId, endpointId, key: order.key });
      return claimed;
    }
    // It is on record now: the log needn't wait for its attempt.
    const mark = inHand && takeMark(inHand);
    if (mark !== null && mark !== undefined) recorder.planned(mark, () => undefined);
    lanes.expedite(
      queuedDelivery({
        delivery: claimed,
        event,
        holding,
        isRecorded: true,
        mark: null,
        queuedAt: clock.monotonic(),
        expedited: true,
      }),
    );
    return claimed;
  }

  /** Another dispatcher has the partition: it finds what is due there within a minute. */
  function leaveToOwner(
    delivery: Delivery,
    { partition, position }: EventPlace,
    event: Event,
    trigger: OnDemandTrigger,
  ): Promise<Delivery> {
    const now = new Date(dueClock.now());
    const endpoint = directory.endpoint(delivery.organisationId, delivery.endpointId);
    return deliveries.claimNow({
      delivery,
      partition,
      epoch: 0,
      order: orderOf(event, position, endpoint),
      trigger,
      now,
      claim: null,
      claimedUntil: now,
    });
  }

  /** Waits while what became of a delivery is being written: until then nobody can take it up again. */
  async function recorded(id: string): Promise<void> {
    const until = clock.monotonic() + longestWaitMs;
    while (lanes.find(id)?.done === true) {
      if (clock.monotonic() >= until) {
        throw new DomainError('unavailable', 'The delivery is being recorded; try again.');
      }
      await sleep(clock, lookEveryMs);
    }
  }

  return {
    async start(requests, trigger) {
      await directory.bringUpToDate();
      await directory.load(new Set(requests.map(({ delivery }) => delivery.organisationId)));
      return Promise.all(requests.map((request) => startOne(request, trigger)));
    },
  };
}
