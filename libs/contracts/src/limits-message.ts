import type { PublishLimits, UsageLimits } from '@posthorn/models';
import type * as configV1 from './config-v1.ts';

/** The limits of a key as a message. */
export function publishLimitsToMessage(limits: PublishLimits): configV1.PublishLimits {
  return {
    publishesPerSecond: toInt64(limits.publishesPerSecond),
    publishesPerDay: toInt64(limits.publishesPerDay),
    bytesPerDay: toInt64(limits.bytesPerDay),
  };
}

/** The limits of a message; none where it says nothing. */
export function publishLimitsFromMessage(message: configV1.PublishLimits | undefined): PublishLimits {
  return {
    publishesPerSecond: fromInt64(message?.publishesPerSecond),
    publishesPerDay: fromInt64(message?.publishesPerDay),
    bytesPerDay: fromInt64(message?.bytesPerDay),
  };
}

/** The limits of an organisation as a message. */
export function usageLimitsToMessage(limits: UsageLimits): configV1.UsageLimits {
  return { publishing: publishLimitsToMessage(limits), endpoints: toInt64(limits.endpoints) };
}

/** The limits of a message; none where it says nothing. */
export function usageLimitsFromMessage(message: configV1.UsageLimits | undefined): UsageLimits {
  return { ...publishLimitsFromMessage(message?.publishing), endpoints: fromInt64(message?.endpoints) };
}

function toInt64(limit: number | null): bigint | undefined {
  // What is no whole number has no int64; no check lets it through, and 0 is below every limit on publishing.
  if (limit === null) return undefined;
  return Number.isSafeInteger(limit) ? BigInt(limit) : 0n;
}

function fromInt64(limit: bigint | undefined): number | null {
  return limit === undefined ? null : Number(limit);
}
