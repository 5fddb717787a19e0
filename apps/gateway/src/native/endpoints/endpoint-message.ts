/** An endpoint's settings as the API takes them, for the checks of libs/models and for RPC. */
import {
  configV1,
  dialectTable,
  endpointFormatTable,
  endpointOrderingTable,
  fieldMaskToMessage,
  labelSelectorToMessage,
  onExhaustedTable,
  signatureSchemeTable,
} from '@posthorn/contracts';
import {
  checkEndpoint,
  defaultBurst,
  type Dialect,
  type EndpointSettings,
  type RateLimit,
  type UrlPolicy,
  type Violation,
} from '@posthorn/models';
import type { EndpointChanges } from '../schemas/endpoint-settings.ts';

/** What is wrong with the meaning of the fields that are given; what depends on the dialect isn't judged without it. */
export function checkEndpointChanges(
  changes: EndpointChanges,
  urlPolicy: UrlPolicy,
  dialect?: Dialect,
): readonly Violation[] {
  const { filter, policy, rateLimit, ...rest } = changes;
  const settings: Partial<EndpointSettings> = {
    ...rest,
    ...(rateLimit !== undefined && { rateLimit: rateLimit && withBurst(rateLimit) }),
    ...(policy !== undefined && { policyId: policy }),
    ...(filter !== undefined && { filterJson: filter === null ? null : JSON.stringify(filter) }),
  };
  return checkEndpoint(settings, urlPolicy, dialect);
}

function withBurst({ perSecond, burst }: NonNullable<EndpointChanges['rateLimit']>): RateLimit {
  return { perSecond, burst: burst ?? defaultBurst(perSecond) };
}

const rpcNames: Readonly<Record<string, string>> = { filter: 'filterJson', policy: 'policyId' };

/** The fields that are given, by their names over RPC. */
export function endpointMask(changes: EndpointChanges): string[] {
  return fieldMaskToMessage(Object.keys(changes).map((field) => rpcNames[field] ?? field));
}

/** The message of what is given; what isn't is empty. */
export function endpointChangesToMessage(
  changes: EndpointChanges,
  organisationId: string,
  dialect: Dialect = 'standard',
): configV1.Endpoint {
  const { eventTypes, labels, filter, format } = changes;
  return configV1.Endpoint.fromPartial({
    organisationId,
    dialect: dialectTable.toMessage(dialect),
    uid: changes.uid ?? undefined,
    url: changes.url ?? '',
    name: changes.name ?? '',
    description: changes.description ?? '',
    eventTypes: eventTypes ? { values: [...eventTypes] } : undefined,
    labels: labels ? labelSelectorToMessage(labels) : undefined,
    filterJson: filter ? JSON.stringify(filter) : undefined,
    format:
      format === undefined
        ? configV1.EndpointFormat.ENDPOINT_FORMAT_UNSPECIFIED
        : endpointFormatTable.toMessage(format),
    signing: (changes.signing ?? []).map(signatureSchemeTable.toMessage),
    headers: { ...changes.headers },
    timeoutMs: changes.timeoutMs ?? 0,
    retryDelaysMs: (changes.retryDelaysMs ?? []).map(BigInt),
    maxInFlight: changes.maxInFlight ?? 0,
    rateLimit: changes.rateLimit ? withBurst(changes.rateLimit) : undefined,
    ordering: endpointOrderingTable.toMessage(changes.ordering ?? 'none'),
    onExhausted: onExhaustedTable.toMessage(changes.onExhausted ?? 'skip'),
    metadata: { ...changes.metadata },
    policyId: changes.policy ?? undefined,
    editionId: changes.editionId ?? undefined,
  });
}
