/** An event as it was accepted. It belongs to one organisation and never changes. */
export interface Event {
  readonly id: string;
  readonly organisationId: string;
  readonly type: string;
  /** The payload: JSON text, the very bytes that were published. */
  readonly payload: Uint8Array;
  readonly labels: Readonly<Record<string, string>>;
  /** Whom it is about, for erasure by subject. */
  readonly subject: string | null;
  readonly idempotencyKey: string | null;
  /** Events with the same key are to be delivered in order. */
  readonly orderingKey: string | null;
  /** The ricloud endpoint that the publishing key names. */
  readonly routesTo: string | null;
  /** W3C Trace Context of the request that published it. */
  readonly traceparent: string | null;
  /** Not to be delivered before, by the wall clock; null: at once. Never together with an ordering key. */
  readonly deliverAt: Date | null;
  readonly occurredAt: Date;
  readonly acceptedAt: Date;
}

/** An event with what every event has and, unless it is given too, nothing else; it occurred when it was accepted. */
export function plainEvent(
  given: Pick<Event, 'id' | 'organisationId' | 'type' | 'payload' | 'acceptedAt'> & Partial<Event>,
): Event {
  return {
    labels: {},
    subject: null,
    idempotencyKey: null,
    orderingKey: null,
    routesTo: null,
    traceparent: null,
    deliverAt: null,
    occurredAt: given.acceptedAt,
    ...given,
  };
}

/** What bounds labels, the same for those of an event and those that an endpoint asks for. Lengths are in characters. */
export const labelLimits = { labels: 50, keyLength: 128, valueLength: 256 } as const;
