import { dialectRules, type Dialect, type DialectRules } from '../dialect.ts';
import type { EndpointSettings, RateLimit } from './endpoint.ts';
import type { Violation } from '../errors.ts';
import { labelLimits } from '../events/event.ts';
import { checkEventTypePattern } from '../events/event-type-name.ts';
import { checkCount, checkForm, checkInteger, checkMemberName, checkText } from '../field-check.ts';
import { checkFilter } from '../filters/filter.ts';
import { checkHeaders, headerLimits } from './header-check.ts';
import { isId } from '../ids.ts';
import { pointerTo } from '../json/json-pointer.ts';
import { checkTargetUrl, maxUrlLength, type UrlPolicy } from '../addresses/url-policy.ts';

/** What bounds the settings of an endpoint. Lengths are in characters. */
export const endpointLimits = {
  urlLength: maxUrlLength,
  uidLength: 128,
  /** As the source of a regular expression: what needs no encoding in a path. */
  uidPattern: '^[A-Za-z0-9._~-]{1,128}$',
  nameLength: 255,
  descriptionLength: 1000,
  eventTypes: 100,
  labels: labelLimits.labels,
  labelValues: 50,
  labelKeyLength: labelLimits.keyLength,
  labelValueLength: labelLimits.valueLength,
  headers: headerLimits.headers,
  headerNameLength: headerLimits.nameLength,
  headerValueLength: headerLimits.valueLength,
  minTimeoutMs: 100,
  maxTimeoutMs: 60_000,
  /** Retries; attempts are one more. */
  retryDelays: 20,
  minRetryDelayMs: 0,
  maxRetryDelayMs: 30 * 86_400_000,
  maxInFlight: 1000,
  minPerSecond: 0.01,
  maxPerSecond: 10_000,
  maxBurst: 10_000,
  metadata: 50,
  metadataKeyLength: 128,
  metadataValueLength: 500,
} as const;

/** The settings of an endpoint of which nothing but the URL was said. */
export const defaultEndpointSettings: Omit<EndpointSettings, 'url'> = {
  uid: null,
  name: '',
  description: '',
  eventTypes: null,
  labels: null,
  filterJson: null,
  editionId: null,
  format: 'standard',
  signing: ['v1'],
  policyId: null,
  headers: {},
  timeoutMs: dialectRules.standard.timeoutMs,
  retryDelaysMs: dialectRules.standard.retryDelaysMs,
  maxInFlight: 100,
  rateLimit: null,
  ordering: 'none',
  onExhausted: 'skip',
  metadata: {},
};

/** The settings of an endpoint of that dialect of which nothing but the URL was said. */
export function defaultEndpointSettingsOf(dialect: Dialect): Omit<EndpointSettings, 'url'> {
  const { formats, signedWith, timeoutMs, retryDelaysMs } = dialectRules[dialect];
  return {
    ...defaultEndpointSettings,
    format: formats[0],
    signing: signedWith === 'standard_secrets' ? defaultEndpointSettings.signing : [],
    timeoutMs,
    retryDelaysMs,
  };
}

/**
 * Everything that is wrong with those settings that are given. What a target's name resolves to is for the caller to ask
 * (`checkResolvedTarget`), and whether the policy is there. What depends on the dialect isn't judged without it.
 */
export function checkEndpoint(
  settings: Partial<EndpointSettings>,
  urlPolicy: UrlPolicy,
  dialect?: Dialect,
): readonly Violation[] {
  const { url, uid, name, description, eventTypes, labels, filterJson } = settings;
  const { editionId, headers, timeoutMs, retryDelaysMs, maxInFlight, rateLimit, metadata } = settings;
  return [
    ...(url === undefined ? [] : checkUrl(url, urlPolicy)),
    ...(uid === undefined || uid === null ? [] : checkUid(uid)),
    ...(name === undefined ? [] : checkText(name, '/name', { maxLength: endpointLimits.nameLength })),
    ...(description === undefined ? [] : checkDescription(description)),
    ...(eventTypes === undefined || eventTypes === null ? [] : checkEventTypes(eventTypes)),
    ...(labels === undefined || labels === null ? [] : checkLabelSelector(labels)),
    ...(filterJson === undefined || filterJson === null ? [] : checkFilterJson(filterJson)),
    ...(editionId === undefined || editionId === null ? [] : checkEditionId(editionId)),
    ...(dialect === undefined ? [] : checkForDialect(settings, dialect)),
    ...(headers === undefined
      ? []
      : checkHeaders(headers, '/headers', dialect === undefined ? [] : dialectRules[dialect].ownHeaders)),
    ...(timeoutMs === undefined ? [] : checkTimeout(timeoutMs)),
    ...(retryDelaysMs === undefined ? [] : checkRetryDelays(retryDelaysMs)),
    ...(maxInFlight === undefined
      ? []
      : checkInteger(maxInFlight, '/maxInFlight', { min: 1, max: endpointLimits.maxInFlight })),
    ...(rateLimit === undefined || rateLimit === null ? [] : checkRateLimit(rateLimit)),
    ...(metadata === undefined ? [] : checkMetadata(metadata)),
  ];
}

function checkRateLimit({ perSecond, burst }: RateLimit): readonly Violation[] {
  const { minPerSecond: min, maxPerSecond: max, maxBurst } = endpointLimits;
  const isFine = perSecond >= min && perSecond <= max;
  const message = `A number from ${min} to ${max} is wanted.`;
  return [
    ...(isFine ? [] : [{ field: '/rateLimit/perSecond', code: 'out_of_range', message }]),
    ...checkInteger(burst, '/rateLimit/burst', { min: 1, max: maxBurst }),
  ];
}

/** The burst of a limit of which only the rate was said. */
export function defaultBurst(perSecond: number): number {
  return Math.max(1, Math.ceil(perSecond));
}

function checkUrl(url: string, policy: UrlPolicy): readonly Violation[] {
  const target = checkTargetUrl(url, policy);
  return target.ok ? [] : target.violations;
}

/** An endpoint is found by its id or its uid in the same place, so a uid must not look like an id, nor like a step in a path. */
function checkUid(uid: string): readonly Violation[] {
  if (isId(uid.toLowerCase()) || uid === '.' || uid === '..') {
    const message = "This form is kept for our own ids and for paths; it can't be a uid.";
    return [{ field: '/uid', code: 'reserved', message }];
  }
  const rule = `A uid is 1 to ${endpointLimits.uidLength} letters, digits, ".", "_", "~" or "-".`;
  return checkForm(uid, '/uid', uidForm, rule);
}

const uidForm = new RegExp(endpointLimits.uidPattern);

function checkDescription(description: string): readonly Violation[] {
  return checkText(description, '/description', {
    maxLength: endpointLimits.descriptionLength,
    multiline: true,
  });
}

function checkEventTypes(patterns: readonly string[]): readonly Violation[] {
  const field = '/eventTypes';
  if (patterns.length === 0) {
    return [
      { field, code: 'too_few', message: 'Name at least one event type, or give null for all of them.' },
    ];
  }
  return [
    ...checkCount(patterns.length, field, { max: endpointLimits.eventTypes }),
    ...patterns.flatMap((pattern, index) => checkEventTypePattern(pattern, pointerTo(field, index))),
  ];
}

function checkLabelSelector(labels: NonNullable<EndpointSettings['labels']>): readonly Violation[] {
  const field = '/labels';
  const entries = Object.entries(labels);
  return [
    ...checkCount(entries.length, field, { max: endpointLimits.labels }),
    ...entries.flatMap(([key, values]) => [
      ...checkMemberName(key, pointerTo(field, key), {
        minLength: 1,
        maxLength: endpointLimits.labelKeyLength,
      }),
      ...checkCount(values.length, pointerTo(field, key), { min: 1, max: endpointLimits.labelValues }),
      ...values.flatMap((value, index) =>
        checkText(value, pointerTo(pointerTo(field, key), index), {
          maxLength: endpointLimits.labelValueLength,
        }),
      ),
    ]),
  ];
}

function checkFilterJson(filterJson: string): readonly Violation[] {
  const field = '/filter';
  let filter: unknown;
  try {
    filter = JSON.parse(filterJson);
  } catch {
    return [{ field, code: 'invalid_format', message: 'A filter is JSON.' }];
  }
  return checkFilter(filter, field);
}

function checkEditionId(editionId: string): readonly Violation[] {
  return checkText(editionId, '/editionId', { minLength: 1, maxLength: endpointLimits.labelValueLength });
}

/** What only some dialects know, and what each knows in a way of its own. */
function checkForDialect(settings: Partial<EndpointSettings>, dialect: Dialect): readonly Violation[] {
  const { format, signing, policyId, editionId } = settings;
  const { formats, signedWith }: DialectRules = dialectRules[dialect];
  const violations: Violation[] = [];
  if (format !== undefined && !formats.includes(format)) {
    const message = `An endpoint of the dialect ${dialect} is sent ${formats.join(' or ')}.`;
    violations.push({ field: '/format', code: 'invalid_value', message });
  }
  if (signing !== undefined && signedWith === 'standard_secrets') violations.push(...checkSigning(signing));
  if (signing !== undefined && signedWith !== 'standard_secrets' && signing.length > 0) {
    const message = `An endpoint of the dialect ${dialect} signs in a way of its own: only [] is possible.`;
    violations.push({ field: '/signing', code: 'invalid_value', message });
  }
  if (typeof policyId === 'string' && signedWith !== 'policy') {
    const message = `An endpoint of the dialect ${dialect} isn't signed by a policy.`;
    violations.push({ field: '/policy', code: 'invalid_value', message });
  }
  if (typeof editionId === 'string' && dialect !== 'preo') {
    const message = `An endpoint of the dialect ${dialect} has no edition; select by label instead.`;
    violations.push({ field: '/editionId', code: 'invalid_value', message });
  }
  return violations;
}

function checkSigning(signing: EndpointSettings['signing']): readonly Violation[] {
  const isOffered =
    (signing.length === 1 && signing[0] === 'v1') ||
    (signing.length === 2 && signing[0] === 'v1' && signing[1] === 'v1a');
  const message = 'Either ["v1"] or ["v1","v1a"] is wanted.';
  return isOffered ? [] : [{ field: '/signing', code: 'invalid_value', message }];
}

function checkTimeout(timeoutMs: number): readonly Violation[] {
  const { minTimeoutMs: min, maxTimeoutMs: max } = endpointLimits;
  return checkInteger(timeoutMs, '/timeoutMs', { min, max });
}

/** No delays at all: a single attempt. */
function checkRetryDelays(delays: readonly number[]): readonly Violation[] {
  const field = '/retryDelaysMs';
  const { minRetryDelayMs: min, maxRetryDelayMs: max } = endpointLimits;
  return [
    ...checkCount(delays.length, field, { max: endpointLimits.retryDelays }),
    ...delays.flatMap((delay, index) => checkInteger(delay, pointerTo(field, index), { min, max })),
  ];
}

function checkMetadata(metadata: EndpointSettings['metadata']): readonly Violation[] {
  const field = '/metadata';
  const entries = Object.entries(metadata);
  return [
    ...checkCount(entries.length, field, { max: endpointLimits.metadata }),
    ...entries.flatMap(([key, value]) => [
      ...checkMemberName(key, pointerTo(field, key), {
        minLength: 1,
        maxLength: endpointLimits.metadataKeyLength,
      }),
      ...checkText(value, pointerTo(field, key), {
        maxLength: endpointLimits.metadataValueLength,
        multiline: true,
      }),
    ]),
  ];
}
