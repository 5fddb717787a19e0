import { DomainError, type AttemptTrigger, type Delivery, type Event } from '@posthorn/models';
import { sleep, type Clock } from '@posthorn/runtime';
import type { DeliveryStore } from './delivery-store.ts';
import type { Directory } from './directory.ts';
import { claimedUntil } from './due.ts';
import type { DueClock } from './due-clock.ts';
import type { Lanes } from './lanes.ts';
import { queuedDelivery, takeMark } from './queued-delivery.ts';
import type { Recorder } from './record.ts';

/**
 * Attempts that someone asked for: a retry of one delivery, a replay of an event. They go out at once, whatever the state of
 * the delivery and of its endpoint; a delivery that is in this process's hands already goes out anyway and is left alone.
 */
export interface OnDemand {
  /**
   * Starts an attempt of each; answers the deliveries as they are now, in the same order.
   * Errors: `failed_precondition` when the endpoint of one is no more, `unavailable`.
   */
  start(requests: readonly OnDemandRequest[], trigger: OnDemandTrigger): Promise<readonly Delivery[]>;
}

type OnDemandTrigger = Extract<AttemptTrigger, 'manual' | 'replay'>;

export interface OnDemandRequest {
  readonly delivery: Delivery;
  readonly event: Event;
}

const longestWaitMs = 2000;
const lookEveryMs = 25;

export function createOnDemand(options: {
  readonly deliveries: DeliveryStore;
  readonly directory: Directory;
  readonly lanes: Lanes;
  readonly recorder: Pick<Recorder, 'planned'>;
  readonly claim: string;
  readonly clock: Clock;
  readonly dueClock: DueClock;
}): OnDemand {
  const { deliveries, directory, lanes, recorder, claim, clock, dueClock } = options;

  async function startOne({ delivery, event }: OnDemandRequest, trigger: OnDemandTrigger): Promise<Delivery> {
    const { id, organisationId, endpointId } = delivery;
    const endpoint = directory.endpoint(organisationId, endpointId);
    if (endpoint === undefined) {
      throw new DomainError('failed_precondition', 'The endpoint was deleted, so nothing can be sent to it.');
    }
    await recorded(id);
    const inHand = lanes.find(id);
    if (inHand !== undefined && !lanes.withdraw(id)) return inHand.delivery;
    const claimed = await claimNow(delivery, trigger, claimedUntil(dueClock.now(), endpoint)).catch(
      (error: unknown) => {
        if (inHand !== undefined) lanes.offer({ ...inHand, done: false });
        throw error;
      },
    );
    // It is on record now: the log needn't wait for its attempt.
    const mark = inHand && takeMark(inHand);
    if (mark !== null && mark !== undefined) recorder.planned(mark, () => undefined);
    lanes.expedite(
      queuedDelivery({
        delivery: claimed,
        event,
        claim,
        mark: null,
        queuedAt: clock.monotonic(),
        expedited: true,
      }),
    );
    return claimed;
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

  async function claimNow(delivery: Delivery, trigger: OnDemandTrigger, until: Date): Promise<Delivery> {
    const request = { deliveries: [delivery], trigger, claim, claimedUntil: until };
    const [claimed] = await deliveries.claimNow(request);
    return claimed ?? delivery;
  }

  return {
    async start(requests, trigger) {
      await directory.bringUpToDate();
      await directory.load(new Set(requests.map(({ delivery }) => delivery.organisationId)));
      return Promise.all(requests.map((request) => startOne(request, trigger)));
    },
  };
}
