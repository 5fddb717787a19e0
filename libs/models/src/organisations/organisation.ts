import type { UsageLimits } from './usage-limits.ts';

/** A tenant. Everything else belongs to exactly one, operator keys excepted. */
export interface Organisation {
  readonly id: string;
  /** Unique in the deployment: `[a-z0-9-]`, 1 to 63 characters. */
  readonly slug: string;
  readonly name: string;
  readonly accountUrl: string | null;
  /** IANA time zone name. */
  readonly timeZone: string;
  readonly branding: Branding;
  /** Publishing an event of an unknown type is refused. */
  readonly requireKnownTypes: boolean;
  /** The ricloud endpoint that gets what no key routes elsewhere; null: the oldest one that has passed its test. */
  readonly defaultRicloudEndpoint: string | null;
  readonly retention: Retention;
  readonly limits: UsageLimits;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface Branding {
  readonly name: string | null;
  readonly iconUrl: string | null;
  readonly thumbnailUrl: string | null;
}

export interface Retention {
  /** Days that events with their payload are kept. */
  readonly payloadDays: number;
  /** Days that deliveries and attempts are kept; at least `payloadDays`. */
  readonly metadataDays: number;
}

export const defaultRetention: Retention = { payloadDays: 30, metadataDays: 90 };
