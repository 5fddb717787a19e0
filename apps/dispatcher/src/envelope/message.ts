import type { Delivery, Event, Organisation, SigningEndpoint, SigningPolicy } from '@posthorn/models';

/** Header names and values by turns, as undici takes them without building an object. */
export type HeaderList = readonly string[];

/** An event in a format, the same for every endpoint and attempt. */
export interface Envelope {
  /** The headers that belong to the format; names in lower case. */
  readonly headers: HeaderList;
  readonly body: Buffer;
}

/** What a request is made of: a delivery, to be attempted at a time. */
export interface Occasion {
  readonly event: Event;
  /** As it is before the attempt. */
  readonly delivery: Delivery;
  readonly target: SigningEndpoint;
  readonly organisation: Organisation;
  readonly policies: ReadonlyMap<string, SigningPolicy>;
  readonly at: Date;
}

/** What one attempt sends. */
export interface ComposedRequest {
  readonly url: string;
  /** All of them but `host`, `content-length` and `user-agent`, which the HTTP client adds. */
  readonly headers: HeaderList;
  /** Where the dialect has one of its own. */
  readonly userAgent?: string;
  readonly body: Buffer;
  /** What is kept of the signature with the attempt; null when nothing was signed. */
  readonly signature: string | null;
  /** What the owner should know of this request, for people; it is sent all the same. */
  readonly remark?: string;
}

/** How a dialect writes to its receivers. The payload is embedded as the very bytes that were published. */
export interface DialectEnvelope {
  compose(occasion: Occasion): ComposedRequest;
  /** The body as it is or was sent; of one that is signed anew for each attempt, what is signed. */
  body(occasion: Occasion): Buffer;
}

/** Seconds since 1970, as signatures have them. */
export function secondsOf(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
