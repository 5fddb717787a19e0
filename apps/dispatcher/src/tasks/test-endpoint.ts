import {
  createDeliveryIds,
  DomainError,
  newId,
  plainEvent,
  type Attempt,
  type Event,
  type SigningEndpoint,
} from '@posthorn/models';
import type { Clock, Random } from '@posthorn/runtime';
import type { Judged } from '../attempt.ts';
import type { DeliveryStore } from '../deliveries/delivery-store.ts';
import type { Directory } from '../directory.ts';
import { newDelivery } from '../plan.ts';
import { noPartition } from '../ownership/ownership.ts';
import { queuedDelivery, recordOf, type QueuedDelivery } from '../lanes/queued-delivery.ts';

/** Sends one signed test event to an endpoint at once, whatever its state; it is on record like any other, and never retried. */
export interface EndpointTest {
  /** Errors: `not_found`, `unavailable`. What the receiver makes of it is in the attempt. */
  send(request: EndpointTestRequest): Promise<Attempt>;
}

export interface EndpointTestRequest {
  readonly organisationId: string;
  readonly endpointId: string;
  /** Made when absent. */
  readonly eventId?: string;
  /** `posthorn.test` when empty. */
  readonly type: string;
  /** JSON text; a small sample when empty. */
  readonly data: Uint8Array;
}

const defaultType = 'posthorn.test';

export function createEndpointTest(options: {
  readonly attempt: (queued: QueuedDelivery, endpoint: SigningEndpoint) => Promise<Judged | null>;
  readonly directory: Directory;
  readonly deliveries: DeliveryStore;
  /** Puts an event on record that nobody else is to get. */
  readonly recordEvent: (event: Event) => Promise<unknown>;
  readonly clock: Clock;
  readonly random: Random;
}): EndpointTest {
  const { attempt, directory, deliveries, recordEvent, clock, random } = options;

  function testEvent({ organisationId, endpointId, eventId, type, data }: EndpointTestRequest): Event {
    const now = new Date(clock.now());
    return plainEvent({
      id: eventId ?? newId(now.getTime(), (count) => random.bytes(count)),
      organisationId,
      type: type === '' ? defaultType : type,
      payload: data.length > 0 ? data : sample(endpointId),
      acceptedAt: now,
    });
  }

  return {
    async send(request) {
      const { organisationId, endpointId } = request;
      await directory.bringUpToDate();
      await directory.load([organisationId]);
      const endpoint = directory.endpoint(organisationId, endpointId);
      if (endpoint === undefined) throw new DomainError('not_found', `There is no endpoint ${endpointId}.`);
      const event = testEvent(request);
      await recordEvent(event);
      const { acceptedAt } = event;
      const id = createDeliveryIds({ acceptedAt, organisationId, eventId: event.id })(endpointId);
      const delivery = { ...newDelivery(event, endpointId, id, acceptedAt), trigger: 'test' as const };
      const queued = queuedDelivery({
        delivery,
        event,
        holding: noPartition,
        isRecorded: false,
        mark: null,
        queuedAt: clock.monotonic(),
      });
      const judged = await attempt(queued, endpoint);
      if (judged === null) throw new DomainError('unavailable', 'The test could not be sent; try again.');
      const written = { isKept: false, attempt: judged.attempt };
      await deliveries.record([recordOf(queued, judged.delivery, written)], []);
      return judged.attempt;
    },
  };
}

function sample(endpointId: string): Uint8Array {
  return new TextEncoder().encode(
    JSON.stringify({ message: 'This is a test event from Posthorn.', endpointId }),
  );
}
