/** What organisations may use for which an operator has set no limit of their own. */
import { usageLimitBounds, type PublishLimits } from '@posthorn/models';
import { integer } from '../config-parsers.ts';
import { configEntry, type ConfigOf } from '../config-reader.ts';

export const publishLimitsConfig = {
  limitPublishesPerSecond: configEntry({
    env: 'POSTHORN_LIMIT_PUBLISHES_PER_SECOND',
    parser: integer(usageLimitBounds.publishesPerSecond),
    default: null,
    defaultText: 'no limit',
    description:
      'How many events an organisation may publish within a second of UTC, unless it has a limit of its own.',
  }),
  limitPublishesPerDay: configEntry({
    env: 'POSTHORN_LIMIT_PUBLISHES_PER_DAY',
    parser: integer(usageLimitBounds.publishesPerDay),
    default: null,
    defaultText: 'no limit',
    description: 'The same within a day of UTC.',
  }),
  limitBytesPerDay: configEntry({
    env: 'POSTHORN_LIMIT_BYTES_PER_DAY',
    parser: integer(usageLimitBounds.bytesPerDay),
    default: null,
    defaultText: 'no limit',
    description: 'The same for the bytes of their data.',
  }),
} as const;

export const endpointLimitConfig = {
  limitEndpoints: configEntry({
    env: 'POSTHORN_LIMIT_ENDPOINTS',
    parser: integer(usageLimitBounds.endpoints),
    default: null,
    defaultText: '10,000',
    description: 'How many endpoints an organisation may have, unless it has a limit of its own.',
  }),
} as const;

/** The limits that these variables say. */
export function publishLimitsOf(config: ConfigOf<typeof publishLimitsConfig>): PublishLimits {
  return {
    publishesPerSecond: config.limitPublishesPerSecond,
    publishesPerDay: config.limitPublishesPerDay,
    bytesPerDay: config.limitBytesPerDay,
  };
}
