/** The options that say how much an organisation or a key may use, and how what they may use is shown. */
import type { Command } from 'commander';
import { limitOrNone, type LimitArgument } from '../arguments.ts';
import type { Output } from '../terminal/output.ts';
import type { PublishLimitsResource, UsageLimitsResource } from '../client/resources.ts';

/** As commander names them. */
export interface PublishLimitOptions {
  readonly publishesPerSecond?: LimitArgument;
  readonly publishesPerDay?: LimitArgument;
  readonly bytesPerDay?: LimitArgument;
}

export interface UsageLimitOptions extends PublishLimitOptions {
  readonly maxEndpoints?: LimitArgument;
}

export function addPublishLimitOptions(command: Command): Command {
  return command
    .option(
      '--publishes-per-second <n>',
      'events it may publish in a second; "none": any number',
      limitOrNone,
    )
    .option(
      '--publishes-per-day <n>',
      'events it may publish in a day (UTC); "none": any number',
      limitOrNone,
    )
    .option('--bytes-per-day <n>', 'bytes of data it may publish in a day; "none": any number', limitOrNone);
}

export function addUsageLimitOptions(command: Command): Command {
  return addPublishLimitOptions(command).option(
    '--max-endpoints <n>',
    'endpoints it may have; "none": as many as the deployment allows',
    limitOrNone,
  );
}

/** What is given, over what holds now: limits are replaced as a whole. Undefined when nothing is given. */
export function publishLimitsOf(
  { publishesPerSecond, publishesPerDay, bytesPerDay }: PublishLimitOptions,
  present: Partial<PublishLimitsResource> = {},
): Partial<PublishLimitsResource> | undefined {
  return changed({ publishesPerSecond, publishesPerDay, bytesPerDay }, present);
}

/** The same for an organisation. */
export function usageLimitsOf(
  { publishesPerSecond, publishesPerDay, bytesPerDay, maxEndpoints }: UsageLimitOptions,
  present: Partial<UsageLimitsResource> = {},
): Partial<UsageLimitsResource> | undefined {
  return changed({ publishesPerSecond, publishesPerDay, bytesPerDay, endpoints: maxEndpoints }, present);
}

function changed(
  given: Readonly<Record<string, LimitArgument | undefined>>,
  present: Partial<UsageLimitsResource>,
): Partial<UsageLimitsResource> | undefined {
  const entries = Object.entries(given)
    .filter(([, limit]) => limit !== undefined)
    .map(([name, limit]) => [name, limit === 'none' ? null : limit]);
  return entries.length === 0
    ? undefined
    : { ...present, ...(Object.fromEntries(entries) as Partial<UsageLimitsResource>) };
}

/** The fields that `show` has for limits: those that there are. */
export function limitFields(limits: Partial<UsageLimitsResource> = {}): Parameters<Output['fields']>[0] {
  return {
    'publishes per second': limits.publishesPerSecond ?? undefined,
    'publishes per day': limits.publishesPerDay ?? undefined,
    'bytes per day': limits.bytesPerDay ?? undefined,
    'endpoints at most': limits.endpoints ?? undefined,
  };
}
