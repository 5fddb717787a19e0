/**
 * What a request to an endpoint says: its body in the endpoint's format, and all of its headers. The body of an event in
 * a format is built once and shared by all deliveries of that event; it lives as long as the event's object.
 */
import type { Endpoint, EndpointFormat, Event } from '@posthorn/models';
import { webhookHeaders } from '@posthorn/signing';
import type { Envelope, HeaderList } from './message.ts';
import { cloudEventsEnvelope } from './cloudevents.ts';
import { rawEnvelope } from './raw.ts';
import { standardEnvelope } from './standard.ts';

export type { Envelope, HeaderList } from './message.ts';

const builders = {
  standard: standardEnvelope,
  raw: rawEnvelope,
  cloudevents: cloudEventsEnvelope,
  discord: unbuilt,
  slack: unbuilt,
  ricloud: unbuilt,
  xurrent: unbuilt,
  preo: unbuilt,
} as const satisfies Record<EndpointFormat, (event: Event) => Envelope>;

function unbuilt(): never {
  throw new Error('TODO(#6): the envelopes of the dialects');
}

const built = new WeakMap<Event, Partial<Record<EndpointFormat, Envelope>>>();

/** The event in that format; the same object each time for the same event object. */
export function envelopeFor(event: Event, format: EndpointFormat): Envelope {
  let envelopes = built.get(event);
  if (!envelopes) built.set(event, (envelopes = {}));
  return (envelopes[format] ??= builders[format](event));
}

export interface RequestParts {
  readonly envelope: Envelope;
  readonly endpoint: Endpoint;
  /** The `webhook-id`: the event's id, the same on every attempt. */
  readonly eventId: string;
  /** The `webhook-timestamp`: the second of this attempt. */
  readonly timestampSeconds: number;
  /** What `Signer.sign` gave for this id, timestamp and body. */
  readonly signature: string;
}

/**
 * All headers of one attempt but `host`, `content-length` and `user-agent`, which the HTTP client adds. The endpoint's own
 * headers come last and are left out where the name is ours.
 */
export function requestHeaders({
  envelope,
  endpoint,
  eventId,
  timestampSeconds,
  signature,
}: RequestParts): HeaderList {
  return [
    webhookHeaders.id,
    eventId,
    webhookHeaders.timestamp,
    String(timestampSeconds),
    webhookHeaders.signature,
    signature,
    ...envelope.headers,
    ...customHeaders(endpoint),
  ];
}

const customHeaderLists = new WeakMap<Endpoint, HeaderList>();

function customHeaders(endpoint: Endpoint): HeaderList {
  let list = customHeaderLists.get(endpoint);
  if (!list) {
    list = Object.entries(endpoint.headers)
      .filter(([name]) => !isReservedHeader(name))
      .flat();
    customHeaderLists.set(endpoint, list);
  }
  return list;
}

/** What we set ourselves, and what would change how the message is framed or routed. */
const reservedHeaders = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
]);

/** Whether an endpoint's custom header of that name is never sent. */
function isReservedHeader(name: string): boolean {
  const lowerCase = name.toLowerCase();
  return reservedHeaders.has(lowerCase) || lowerCase.startsWith('webhook-') || lowerCase.startsWith('ce-');
}
