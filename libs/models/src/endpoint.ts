/** Where an organisation's events are delivered to, and how. */
export interface Endpoint {
  readonly id: string;
  /** A per-deployment counter. */
  readonly number: number;
  readonly organisationId: string;
  /** The owner's own name for it, unique in the organisation. */
  readonly uid: string | null;
  readonly url: string;
  readonly name: string;
  readonly description: string;
  readonly state: EndpointState;
  /** Why it is paused or disabled. */
  readonly stateReason: string | null;
  /** Patterns such as `order.paid`, `order.*` or `*`; null: every event type except operational ones (`posthorn.…`). */
  readonly eventTypes: readonly string[] | null;
  /** Each key must be on the event with one of the values; null: whatever the labels. */
  readonly labels: Readonly<Record<string, readonly string[]>> | null;
  /** The payload filter as JSON text (docs/filters.md); null: whatever the payload. */
  readonly filterJson: string | null;
  readonly format: EndpointFormat;
  readonly signing: readonly SignatureScheme[];
  /** Custom request headers. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** How long to wait after the first, second, … failed attempt; its length bounds the attempts. */
  readonly retryDelaysMs: readonly number[];
  readonly maxInFlight: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** Counts what the owner wrote; the ETag. */
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export const endpointStates = ['enabled', 'paused', 'disabled'] as const;
export type EndpointState = (typeof endpointStates)[number];

export const endpointFormats = ['standard', 'raw', 'cloudevents'] as const;
export type EndpointFormat = (typeof endpointFormats)[number];

export const signatureSchemes = ['v1', 'v1a'] as const;
export type SignatureScheme = (typeof signatureSchemes)[number];

/** A signing secret of an endpoint. During a rotation the old one signs beside the new one until it expires. */
export interface Secret {
  readonly scheme: SignatureScheme;
  /** `whsec_…` (v1) or `whsk_…` (v1a). */
  readonly secret: string;
  readonly createdAt: Date;
  /** Null for the current one. */
  readonly expiresAt: Date | null;
}

/** An endpoint as the dispatcher needs it: with its live secrets and its header values in the clear. */
export interface SigningEndpoint {
  readonly endpoint: Endpoint;
  readonly secrets: readonly Secret[];
}

/** What an owner may write; everything has a default except `url`. */
export type EndpointSettings = Pick<
  Endpoint,
  | 'uid'
  | 'url'
  | 'name'
  | 'description'
  | 'eventTypes'
  | 'labels'
  | 'filterJson'
  | 'format'
  | 'signing'
  | 'headers'
  | 'timeoutMs'
  | 'retryDelaysMs'
  | 'maxInFlight'
  | 'metadata'
>;
