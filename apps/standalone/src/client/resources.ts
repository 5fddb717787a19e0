/** The native API's resources as far as the command line shows them; the full contract is the gateway's /openapi.json. */
import type {
  AttemptOutcome,
  AttemptTrigger,
  DeliveryState,
  EndpointState,
  JobState,
} from '@posthorn/models';

/** Null: no limit. */
export interface PublishLimitsResource {
  readonly publishesPerSecond: number | null;
  readonly publishesPerDay: number | null;
  readonly bytesPerDay: number | null;
}

export interface UsageLimitsResource extends PublishLimitsResource {
  readonly endpoints: number | null;
}

export interface OrganisationResource {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly accountUrl: string | null;
  readonly timeZone: string;
  readonly requireKnownTypes: boolean;
  readonly defaultRicloudEndpoint: string | null;
  readonly retention: { readonly payloadDays: number; readonly metadataDays: number };
  /** Absent in answers of servers that know of no limits. */
  readonly limits?: UsageLimitsResource;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface KeyResource {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: readonly string[];
  /** Null for an operator key. */
  readonly organisation: string | null;
  /** The one ricloud endpoint that gets what it publishes. */
  readonly routesTo?: string | null;
  readonly endpoint?: string | null;
  readonly limits?: PublishLimitsResource;
  readonly expiresAt?: string | null;
  readonly lastUsedAt: string | null;
  readonly createdAt: string;
  /** In the answer to a POST only. */
  readonly token?: string;
}

export interface AuditRecordResource {
  readonly id: string;
  readonly occurredAt: string;
  readonly organisation: string | null;
  readonly actor: {
    readonly kind: string;
    readonly id: string;
    readonly name: string | null;
    readonly operator: boolean;
  };
  readonly action: string;
  readonly resource: string | null;
  readonly changedFields: readonly string[];
  readonly result: string;
  readonly error: string | null;
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly requestId: string;
}

export interface EventTypeResource {
  readonly name: string;
  readonly description: string;
  readonly schema: unknown;
  readonly enforcement: string;
  readonly retired: boolean;
}

export interface EndpointResource {
  readonly id: string;
  readonly uid: string | null;
  readonly number: number;
  readonly dialect: string;
  readonly verification: string;
  readonly policy: string | null;
  readonly editionId: string | null;
  readonly organisation: string;
  readonly url: string;
  readonly name: string;
  readonly description: string;
  readonly state: EndpointState;
  readonly stateReason: string | null;
  readonly eventTypes: readonly string[] | null;
  readonly labels: Readonly<Record<string, readonly string[]>> | null;
  readonly filter: unknown;
  readonly format: string;
  readonly signing: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly retryDelaysMs: readonly number[];
  readonly maxInFlight: number;
  readonly rateLimit: { readonly perSecond: number; readonly burst: number } | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly health: EndpointHealth | null;
  readonly version: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** In the answer to a POST only. */
  readonly secret?: string;
}

export interface EndpointHealth {
  readonly state: string;
  readonly consecutiveFailures: number;
  readonly failingSince: string | null;
  readonly lastSuccessAt: string | null;
  readonly waiting: number;
}

export interface EncryptionResource {
  /** The id of the key that seals. */
  readonly sealingKey: string;
  /** Whether the platform keeps the keys itself. */
  readonly isKept: boolean;
  readonly keys: readonly { readonly id: string; readonly secrets: number }[];
}

export interface PolicyResource {
  readonly id: string;
  readonly number: number;
  readonly name: string;
  readonly algorithm: string;
  readonly audience: string | null;
  readonly expiresInMinutes: number | null;
  readonly publicKeyPem: string | null;
  readonly disabled: boolean;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** In the answer to a POST only. */
  readonly sharedSecret?: string;
}

export interface SecretResource {
  readonly secret: string;
  /** The public half of a `whsk_…` secret. */
  readonly publicKey?: string | null;
  readonly createdAt: string;
  readonly expiresAt: string | null;
}

export interface EventResource {
  readonly id: string;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly subject: string | null;
  readonly idempotencyKey: string | null;
  readonly occurredAt: string;
  readonly acceptedAt: string;
  readonly deliverAt: string | null;
  readonly data?: unknown;
}

/** The answer to a publish. */
export interface AcceptedEvent {
  readonly id: string;
  readonly type: string;
  readonly acceptedAt: string;
  readonly duplicate: boolean;
}

export interface DeliveryResource {
  readonly id: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly endpointId: string;
  readonly state: DeliveryState;
  readonly reason: string | null;
  readonly attempts: number;
  readonly nextAttemptAt: string | null;
  readonly createdAt: string;
  readonly finishedAt: string | null;
  readonly lastAttempt: AttemptResource | null;
}

export interface ErasureResource {
  readonly id: string;
  readonly state: JobState;
  readonly target: string;
  readonly eventId: string | null;
  readonly subjectHash: string | null;
  readonly progress: {
    readonly examined: number;
    readonly events: number;
    readonly deliveries: number;
    readonly responses: number;
  };
  readonly error: string | null;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly finishedAt: string | null;
}

export interface ReplayResource {
  readonly id: string;
  readonly state: JobState;
  readonly trigger: AttemptTrigger;
  readonly endpoint: string | null;
  readonly eventId: string | null;
  readonly eventTypes: readonly string[] | null;
  readonly states: readonly DeliveryState[];
  readonly statusClass: string | null;
  readonly since: string | null;
  readonly until: string | null;
  readonly createdAfter: string | null;
  readonly createdBefore: string | null;
  readonly includeUnmatched: boolean;
  readonly perSecond: number | null;
  readonly dryRun: boolean;
  readonly progress: {
    readonly total: number | null;
    readonly done: number;
    readonly skipped: number;
    readonly skippedBecause: Readonly<Record<string, number>>;
    readonly remaining: number | null;
    readonly estimatedEndAt: string | null;
  };
  readonly error: string | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

export interface AttemptResource {
  readonly id: string;
  readonly deliveryId: string;
  readonly number: number;
  readonly trigger: AttemptTrigger;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly outcome: AttemptOutcome;
  readonly status: number | null;
  readonly error?: string | null;
  readonly response: AttemptResponseResource | null;
  readonly address: string | null;
  readonly signature: string | null;
}

export interface AttemptResponseResource {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly truncated: boolean;
}

/** Attempts within a span of time. */
export interface StatsSummary {
  readonly attempts: number;
  readonly byOutcome: Readonly<Record<string, number>>;
  /** Null when nothing was answered. */
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number } | null;
}

export interface StatsResource {
  readonly after: string;
  readonly before: string;
  readonly total: StatsSummary;
  readonly bucketMs: number;
  readonly buckets: readonly (StatsSummary & { readonly start: string })[];
  readonly oldestWaitingAt: string | null;
  readonly waiting: number;
}

/** What an endpoint was to get. */
export interface FeedEntryResource {
  readonly deliveryId: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly state: string;
  readonly acceptedAt: string;
  readonly data?: unknown;
}
