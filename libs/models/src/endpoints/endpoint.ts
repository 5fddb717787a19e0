import type { Dialect, EndpointFormat } from '../dialect.ts';

/** Where an organisation's events are delivered to, and how. */
export interface Endpoint {
  readonly id: string;
  /** A per-deployment counter. */
  readonly number: number;
  readonly organisationId: string;
  /** Fixed when it is created. */
  readonly dialect: Dialect;
  /** The owner's own name for it, unique in the organisation. */
  readonly uid: string | null;
  readonly url: string;
  readonly name: string;
  readonly description: string;
  readonly state: EndpointState;
  /** Why it is paused or disabled. */
  readonly stateReason: string | null;
  /** Whether the receiver has shown that it is one, where the dialect asks for that. */
  readonly verification: Verification;
  /** Of the latest round of verification: new with every round, and the id of its Task. */
  readonly verificationId: string | null;
  /** When the callback of the latest round ends to be valid; null where there is none. */
  readonly verificationExpiresAt: Date | null;
  /** Patterns such as `order.paid`, `order.*` or `*`; null: every event type except operational ones (`posthorn.…`). */
  readonly eventTypes: readonly string[] | null;
  /** Each key must be on the event with one of the values; null: whatever the labels. */
  readonly labels: Readonly<Record<string, readonly string[]>> | null;
  /** The payload filter as JSON text (docs/filters.md); null: whatever the payload. */
  readonly filterJson: string | null;
  /** Only events whose label `edition_id` is this one (preo); null: whatever it is. */
  readonly editionId: string | null;
  readonly format: EndpointFormat;
  /** The schemes of Standard Webhooks that sign; none for the dialects that sign in a way of their own. */
  readonly signing: readonly SignatureScheme[];
  /** The policy that signs (xurrent); null: nothing is signed. */
  readonly policyId: string | null;
  /** Custom request headers. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** How long to wait after the first, second, … failed attempt; its length bounds the attempts. */
  readonly retryDelaysMs: readonly number[];
  readonly maxInFlight: number;
  /** How many attempts may begin in a time, retries and those asked for by hand included; null: as many as it answers. */
  readonly rateLimit: RateLimit | null;
  /** `key`: events with the same ordering key are delivered one after the other, in the order in which they were published. */
  readonly ordering: EndpointOrdering;
  /** What becomes of events behind one of their key that has ended without success. */
  readonly onExhausted: OnExhausted;
  readonly metadata: Readonly<Record<string, string>>;
  /** Counts what the owner wrote; the ETag. */
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** In no stretch of t seconds do more than `burst + perSecond * t` attempts begin. */
export interface RateLimit {
  /** May be a fraction: 0.5 is one every two seconds. */
  readonly perSecond: number;
  readonly burst: number;
}

export const endpointStates = ['enabled', 'paused', 'disabled'] as const;
export type EndpointState = (typeof endpointStates)[number];

/**
 * `none`: nothing is asked for; `pending`: a round is open, and other events wait; `passed`; `failed`: the receiver must be tried again
 * before it gets anything.
 */
export const verifications = ['none', 'pending', 'passed', 'failed'] as const;
export type Verification = (typeof verifications)[number];

export const endpointOrderings = ['none', 'key'] as const;
export type EndpointOrdering = (typeof endpointOrderings)[number];

/** `skip`: the next one goes out; `hold`: they are held until that one is retried with success. */
export const onExhaustedKinds = ['skip', 'hold'] as const;
export type OnExhausted = (typeof onExhaustedKinds)[number];

export const signatureSchemes = ['v1', 'v1a'] as const;
export type SignatureScheme = (typeof signatureSchemes)[number];

/** The schemes that secrets are for; of a `text` secret the UTF-8 bytes of the whole text are the key. */
export const secretSchemes = [...signatureSchemes, 'text'] as const;
export type SecretScheme = (typeof secretSchemes)[number];

/** A signing secret of an endpoint. During a rotation the old one signs beside the new one until it expires. */
export interface Secret {
  readonly scheme: SecretScheme;
  /** `whsec_…` (v1), `whsk_…` (v1a), or any text. */
  readonly secret: string;
  readonly createdAt: Date;
  /** Null for the current one. */
  readonly expiresAt: Date | null;
}

/** An endpoint as the dispatcher needs it: with its live secrets and its header values in the clear. */
export interface SigningEndpoint {
  readonly endpoint: Endpoint;
  readonly secrets: readonly Secret[];
  /** The path that ends the verification when it is called, under the public URL; only while a round is open that ends so. */
  readonly verificationCallbackPath: string | null;
}

/** What an owner may write at any time; everything has a default except `url`. */
export type EndpointSettings = Pick<
  Endpoint,
  | 'uid'
  | 'url'
  | 'name'
  | 'description'
  | 'eventTypes'
  | 'labels'
  | 'filterJson'
  | 'editionId'
  | 'format'
  | 'signing'
  | 'policyId'
  | 'headers'
  | 'timeoutMs'
  | 'retryDelaysMs'
  | 'maxInFlight'
  | 'rateLimit'
  | 'ordering'
  | 'onExhausted'
  | 'metadata'
>;
