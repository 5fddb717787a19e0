import {
  defaultBurst,
  type Dialect,
  type Endpoint,
  type EndpointFormat,
  type EndpointOrdering,
  type EndpointState,
  type OnExhausted,
  type RateLimit,
  type Verification,
} from '@posthorn/models';
import * as configV1 from './config-v1.ts';
import { createEnumTable } from './enum-table.ts';
import { required } from './required.ts';
import { signatureSchemeTable } from './secret-message.ts';

/** An endpoint's `state` and its enum. */
export const endpointStateTable = createEnumTable({
  enabled: configV1.EndpointState.ENDPOINT_STATE_ENABLED,
  paused: configV1.EndpointState.ENDPOINT_STATE_PAUSED,
  disabled: configV1.EndpointState.ENDPOINT_STATE_DISABLED,
} satisfies Record<EndpointState, configV1.EndpointState>);

/** An endpoint's `format` and its enum. */
export const endpointFormatTable = createEnumTable({
  standard: configV1.EndpointFormat.ENDPOINT_FORMAT_STANDARD,
  raw: configV1.EndpointFormat.ENDPOINT_FORMAT_RAW,
  cloudevents: configV1.EndpointFormat.ENDPOINT_FORMAT_CLOUDEVENTS,
  discord: configV1.EndpointFormat.ENDPOINT_FORMAT_DISCORD,
  slack: configV1.EndpointFormat.ENDPOINT_FORMAT_SLACK,
  ricloud: configV1.EndpointFormat.ENDPOINT_FORMAT_RICLOUD,
  xurrent: configV1.EndpointFormat.ENDPOINT_FORMAT_XURRENT,
  preo: configV1.EndpointFormat.ENDPOINT_FORMAT_PREO,
} satisfies Record<EndpointFormat, configV1.EndpointFormat>);

/** An endpoint's `dialect` and its enum. */
export const dialectTable = createEnumTable({
  standard: configV1.Dialect.DIALECT_STANDARD,
  ricloud: configV1.Dialect.DIALECT_RICLOUD,
  xurrent: configV1.Dialect.DIALECT_XURRENT,
  rapidly: configV1.Dialect.DIALECT_RAPIDLY,
  preo: configV1.Dialect.DIALECT_PREO,
} satisfies Record<Dialect, configV1.Dialect>);

/** The dialect that a resource has; without one it is `standard`. */
export function dialectFromMessage(dialect: configV1.Dialect, field = '/dialect'): Dialect {
  return dialect === configV1.Dialect.DIALECT_UNSPECIFIED
    ? 'standard'
    : dialectTable.fromMessage(dialect, field);
}

/** An endpoint's `verification` and its enum. */
export const verificationTable = createEnumTable({
  none: configV1.Verification.VERIFICATION_NONE,
  pending: configV1.Verification.VERIFICATION_PENDING,
  passed: configV1.Verification.VERIFICATION_PASSED,
  failed: configV1.Verification.VERIFICATION_FAILED,
} satisfies Record<Verification, configV1.Verification>);

function verificationFromMessage(verification: configV1.Verification): Verification {
  return verification === configV1.Verification.VERIFICATION_UNSPECIFIED
    ? 'none'
    : verificationTable.fromMessage(verification, '/verification');
}

/** An endpoint's `ordering` and its enum. */
export const endpointOrderingTable = createEnumTable({
  none: configV1.EndpointOrdering.ENDPOINT_ORDERING_NONE,
  key: configV1.EndpointOrdering.ENDPOINT_ORDERING_KEY,
} satisfies Record<EndpointOrdering, configV1.EndpointOrdering>);

/** The ordering that a resource has; without one it is `none`. */
export function orderingFromMessage(ordering: configV1.EndpointOrdering): EndpointOrdering {
  return ordering === configV1.EndpointOrdering.ENDPOINT_ORDERING_UNSPECIFIED
    ? 'none'
    : endpointOrderingTable.fromMessage(ordering, '/ordering');
}

/** An endpoint's `onExhausted` and its enum. */
export const onExhaustedTable = createEnumTable({
  skip: configV1.OnExhausted.ON_EXHAUSTED_SKIP,
  hold: configV1.OnExhausted.ON_EXHAUSTED_HOLD,
} satisfies Record<OnExhausted, configV1.OnExhausted>);

/** What a resource says; without a word it is `skip`. */
export function onExhaustedFromMessage(onExhausted: configV1.OnExhausted): OnExhausted {
  return onExhausted === configV1.OnExhausted.ON_EXHAUSTED_UNSPECIFIED
    ? 'skip'
    : onExhaustedTable.fromMessage(onExhausted, '/onExhausted');
}

/** The endpoint as a message, its header values as they are: mask them before where they must not be seen. */
export function endpointToMessage(endpoint: Endpoint): configV1.Endpoint {
  return {
    id: endpoint.id,
    number: BigInt(endpoint.number),
    organisationId: endpoint.organisationId,
    uid: endpoint.uid ?? undefined,
    url: endpoint.url,
    name: endpoint.name,
    description: endpoint.description,
    state: endpointStateTable.toMessage(endpoint.state),
    stateReason: endpoint.stateReason ?? undefined,
    eventTypes: endpoint.eventTypes === null ? undefined : { values: [...endpoint.eventTypes] },
    labels: endpoint.labels === null ? undefined : labelSelectorToMessage(endpoint.labels),
    filterJson: endpoint.filterJson ?? undefined,
    format: endpointFormatTable.toMessage(endpoint.format),
    signing: endpoint.signing.map(signatureSchemeTable.toMessage),
    headers: { ...endpoint.headers },
    timeoutMs: endpoint.timeoutMs,
    retryDelaysMs: endpoint.retryDelaysMs.map(BigInt),
    maxInFlight: endpoint.maxInFlight,
    metadata: { ...endpoint.metadata },
    version: BigInt(endpoint.version),
    createdAt: endpoint.createdAt,
    updatedAt: endpoint.updatedAt,
    dialect: dialectTable.toMessage(endpoint.dialect),
    verification: verificationTable.toMessage(endpoint.verification),
    verificationId: endpoint.verificationId ?? undefined,
    verificationExpiresAt: endpoint.verificationExpiresAt ?? undefined,
    policyId: endpoint.policyId ?? undefined,
    editionId: endpoint.editionId ?? undefined,
    ordering: endpointOrderingTable.toMessage(endpoint.ordering),
    onExhausted: onExhaustedTable.toMessage(endpoint.onExhausted),
    rateLimit: endpoint.rateLimit === null ? undefined : { ...endpoint.rateLimit },
  };
}

/** The endpoint of a message that shows a stored one. Throws `invalid_argument` when something is unspecified. */
export function endpointFromMessage(message: configV1.Endpoint): Endpoint {
  return {
    id: message.id,
    number: Number(message.number),
    organisationId: message.organisationId,
    dialect: dialectFromMessage(message.dialect),
    uid: message.uid ?? null,
    url: message.url,
    name: message.name,
    description: message.description,
    state: endpointStateTable.fromMessage(message.state, '/state'),
    stateReason: message.stateReason ?? null,
    verification: verificationFromMessage(message.verification),
    verificationId: message.verificationId ?? null,
    verificationExpiresAt: message.verificationExpiresAt ?? null,
    eventTypes: message.eventTypes?.values ?? null,
    labels: message.labels === undefined ? null : labelSelectorFromMessage(message.labels),
    filterJson: message.filterJson ?? null,
    editionId: message.editionId ?? null,
    format: endpointFormatTable.fromMessage(message.format, '/format'),
    signing: message.signing.map((scheme, index) =>
      signatureSchemeTable.fromMessage(scheme, `/signing/${index}`),
    ),
    policyId: message.policyId ?? null,
    headers: { ...message.headers },
    timeoutMs: message.timeoutMs,
    retryDelaysMs: message.retryDelaysMs.map(Number),
    maxInFlight: message.maxInFlight,
    rateLimit: message.rateLimit === undefined ? null : rateLimitFromMessage(message.rateLimit),
    ordering: orderingFromMessage(message.ordering),
    onExhausted: onExhaustedFromMessage(message.onExhausted),
    metadata: { ...message.metadata },
    version: Number(message.version),
    createdAt: required(message.createdAt, '/createdAt'),
    updatedAt: required(message.updatedAt, '/updatedAt'),
  };
}

/** An endpoint's `rateLimit` of a message; without a burst it is the one that goes with the rate. */
export function rateLimitFromMessage({ perSecond, burst }: configV1.RateLimit): RateLimit {
  return { perSecond, burst: burst === 0 ? defaultBurst(perSecond) : burst };
}

type Labels = NonNullable<Endpoint['labels']>;

/** An endpoint's `labels` as a message. */
export function labelSelectorToMessage(labels: Labels): configV1.LabelSelector {
  return {
    anyOf: Object.fromEntries(Object.entries(labels).map(([key, values]) => [key, { values: [...values] }])),
  };
}

/** An endpoint's `labels` of a message. */
export function labelSelectorFromMessage(message: configV1.LabelSelector): Labels {
  return Object.fromEntries(Object.entries(message.anyOf).map(([key, list]) => [key, list.values]));
}
