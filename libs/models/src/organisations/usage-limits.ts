/**
 * How much a tenant, or one key of it, may use. Null: no limit. What is over a limit is refused at the door; what was accepted is
 * delivered, whatever the limits are by then.
 */
export interface PublishLimits {
  /** Events accepted within one second of UTC. */
  readonly publishesPerSecond: number | null;
  /** Events accepted within one day of UTC. */
  readonly publishesPerDay: number | null;
  /** Bytes of `data` accepted within one day of UTC. */
  readonly bytesPerDay: number | null;
}

/** The limits of an organisation: of all that its keys, and operators on its behalf, publish together. */
export interface UsageLimits extends PublishLimits {
  /** Endpoints that there may be at a time, whatever their dialect and state. */
  readonly endpoints: number | null;
}

export const noPublishLimits: PublishLimits = {
  publishesPerSecond: null,
  publishesPerDay: null,
  bytesPerDay: null,
};

export const noUsageLimits: UsageLimits = { ...noPublishLimits, endpoints: null };

/** Whether any of them bounds anything. */
export function limitsPublishing(limits: PublishLimits): boolean {
  return limits.publishesPerSecond !== null || limits.publishesPerDay !== null || limits.bytesPerDay !== null;
}
