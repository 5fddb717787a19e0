import { defaultRetryDelaysMs, type JitterKind } from './deliveries/retry-schedule.ts';

/**
 * The management APIs that Posthorn speaks. An endpoint belongs to the one that it was created for, which fixes what is sent to it and
 * how that is signed; everything else about it is the same for all. What differs in the rules stands in one table.
 */
export const dialects = ['standard', 'ricloud', 'xurrent', 'rapidly', 'preo'] as const;
export type Dialect = (typeof dialects)[number];

/** What requests may look like; which of them a dialect knows stands in its rules. */
export const endpointFormats = [
  'standard',
  'raw',
  'cloudevents',
  'discord',
  'slack',
  'ricloud',
  'xurrent',
  'preo',
] as const;
export type EndpointFormat = (typeof endpointFormats)[number];

/** How the endpoints of a dialect are delivered to, where their owners say nothing else. */
export interface DialectRules {
  /** What an endpoint may be sent; the first is the default. */
  readonly formats: readonly [EndpointFormat, ...EndpointFormat[]];
  readonly timeoutMs: number;
  readonly retryDelaysMs: readonly number[];
  readonly jitter: JitterKind;
  /** A name that doesn't resolve ends the delivery instead of failing one attempt. */
  readonly isDnsFailureFinal: boolean;
  /** An answer of 410 ends the delivery and disables the endpoint; else it is a failure like any other. */
  readonly isGoneFinal: boolean;
  /** A retry by hand of what was exhausted, and that fails again, leaves it `failed`. */
  readonly isFailedRetryFinal: boolean;
  /**
   * What shows that the receiver is one, before it gets any event: nothing is asked for, a test that it answers with success, or a
   * call of the URL that is sent to it.
   */
  readonly verifiedBy: 'nothing' | 'test' | 'callback';
  /**
   * What signs: secrets of Standard Webhooks, a secret whose text as it is gives the key, or the policy that the endpoint names.
   */
  readonly signedWith: 'standard_secrets' | 'text_secret' | 'policy';
  /** Older secrets can sign beside the newest one for a while; else the newest signs alone. */
  readonly canSecretsOverlap: boolean;
  /** Names of headers, in lower case, that the dialect sets beside those that all of them do: not the owner's to set. */
  readonly ownHeaders: readonly string[];
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/** The rules of each dialect. */
export const dialectRules = {
  standard: {
    formats: ['standard', 'raw', 'cloudevents'],
    timeoutMs: 15 * second,
    retryDelaysMs: defaultRetryDelaysMs,
    jitter: 'plus_minus_20_percent',
    isDnsFailureFinal: false,
    isGoneFinal: true,
    isFailedRetryFinal: false,
    verifiedBy: 'nothing',
    signedWith: 'standard_secrets',
    canSecretsOverlap: true,
    ownHeaders: [],
  },
  ricloud: {
    formats: ['ricloud'],
    timeoutMs: 10 * second,
    retryDelaysMs: [10 * second, 5 * minute, 30 * minute, 2 * hour],
    jitter: 'plus_minus_20_percent',
    isDnsFailureFinal: false,
    isGoneFinal: false,
    isFailedRetryFinal: false,
    verifiedBy: 'test',
    signedWith: 'text_secret',
    canSecretsOverlap: false,
    ownHeaders: ['ricloud-signature'],
  },
  xurrent: {
    formats: ['xurrent'],
    timeoutMs: 10 * second,
    retryDelaysMs: [
      10 * second,
      30 * second,
      2 * minute,
      10 * minute,
      30 * minute,
      hour,
      3 * hour,
      6 * hour,
      12 * hour,
      24 * hour,
    ],
    jitter: 'plus_minus_20_percent',
    isDnsFailureFinal: false,
    isGoneFinal: false,
    isFailedRetryFinal: false,
    verifiedBy: 'callback',
    signedWith: 'policy',
    canSecretsOverlap: false,
    ownHeaders: ['x-4me-delivery', 'x-xurrent-delivery'],
  },
  rapidly: {
    formats: ['raw', 'discord', 'slack'],
    timeoutMs: 10 * second,
    retryDelaysMs: Array.from({ length: 10 }, (_, n) => Math.min(2 * second * 2 ** n, 20 * minute)),
    jitter: 'half_to_full',
    isDnsFailureFinal: true,
    isGoneFinal: false,
    isFailedRetryFinal: false,
    verifiedBy: 'nothing',
    signedWith: 'text_secret',
    canSecretsOverlap: true,
    ownHeaders: [],
  },
  preo: {
    formats: ['preo'],
    timeoutMs: 30 * second,
    retryDelaysMs: [minute, 5 * minute, 30 * minute, 2 * hour, 8 * hour],
    jitter: 'plus_minus_20_percent',
    isDnsFailureFinal: false,
    isGoneFinal: true,
    isFailedRetryFinal: true,
    verifiedBy: 'nothing',
    signedWith: 'text_secret',
    canSecretsOverlap: false,
    ownHeaders: ['x-webhook-event', 'x-webhook-delivery', 'x-webhook-signature'],
  },
} as const satisfies Record<Dialect, DialectRules>;

/** How long the URL of a verification's callback is good for. */
export const verificationCallbackMs = 24 * hour;
