/** How endpoints look to people. */
import type { Output, StyleName } from '../terminal/output.ts';
import { printable } from '../terminal/printable.ts';
import type { EndpointResource } from '../client/resources.ts';
import type { Column } from '../terminal/table.ts';

/** The route of one endpoint. */
export function endpointPath(idOrUid: string, action = ''): string {
  return `/v1/endpoints/${encodeURIComponent(idOrUid)}${action && `/${action}`}`;
}

/** The columns of a list. */
export function endpointColumns({ style }: Pick<Output, 'style'>): readonly Column<EndpointResource>[] {
  return [
    { header: 'ID', value: ({ id }) => id },
    { header: 'UID', value: ({ uid }) => uid },
    {
      header: 'STATE',
      value: ({ state }) => state,
      style: (text, { state }) => style(stateStyles[state], text),
    },
    {
      header: 'HEALTH',
      value: ({ health }) => health?.state,
      style: (text, { health }) => style(health?.state === 'healthy' ? 'green' : 'yellow', text),
    },
    { header: 'WAITING', value: ({ health }) => health?.waiting, align: 'right' },
    { header: 'EVENT TYPES', value: ({ eventTypes }) => eventTypes?.join(' ') ?? 'all', flexible: true },
    { header: 'URL', value: ({ url }) => url, flexible: true },
  ];
}

const stateStyles: Readonly<Record<EndpointResource['state'], StyleName>> = {
  enabled: 'green',
  paused: 'yellow',
  disabled: 'red',
};

/** All of one endpoint. */
export function endpointLines(endpoint: EndpointResource, output: Pick<Output, 'fields'>): string[] {
  const { health } = endpoint;
  return output.fields({
    id: endpoint.id,
    dialect: endpoint.dialect === 'standard' ? undefined : endpoint.dialect,
    uid: endpoint.uid,
    name: endpoint.name,
    description: endpoint.description || undefined,
    url: endpoint.url,
    secret: endpoint.secret,
    state: endpoint.stateReason ? `${endpoint.state} (${endpoint.stateReason})` : endpoint.state,
    health: health === null || health === undefined ? undefined : healthText(health),
    verification: endpoint.verification === 'none' ? undefined : endpoint.verification,
    'event types': endpoint.eventTypes?.join(' ') ?? 'all',
    labels: endpoint.labels === null ? 'any' : pairs(endpoint.labels),
    filter: endpoint.filter === null ? 'none' : JSON.stringify(endpoint.filter),
    edition: endpoint.editionId ?? undefined,
    format: endpoint.format,
    signing: endpoint.signing.join(' ') || undefined,
    policy: endpoint.policy ?? undefined,
    headers: Object.keys(endpoint.headers).length === 0 ? undefined : Object.keys(endpoint.headers).join(' '),
    timeout: `${endpoint.timeoutMs} ms`,
    'retries after':
      endpoint.retryDelaysMs.length === 0 ? 'no retries' : endpoint.retryDelaysMs.map(duration).join(', '),
    'max in flight': endpoint.maxInFlight,
    'rate limit': endpoint.rateLimit ? rateText(endpoint.rateLimit) : undefined,
    metadata: Object.keys(endpoint.metadata).length === 0 ? undefined : pairs(endpoint.metadata),
    version: endpoint.version,
    created: endpoint.createdAt,
    updated: endpoint.updatedAt,
  });
}

function healthText(health: NonNullable<EndpointResource['health']>): string {
  const failing = health.failingSince === null ? '' : ` since ${health.failingSince}`;
  const failures = health.consecutiveFailures > 0 ? `, ${health.consecutiveFailures} failures in a row` : '';
  return `${health.state}${failing}${failures}, ${health.waiting} waiting`;
}

function rateText({ perSecond, burst }: NonNullable<EndpointResource['rateLimit']>): string {
  return `${perSecond} a second, at most ${burst} at once`;
}

function pairs(record: Readonly<Record<string, string | readonly string[]>>): string {
  return Object.entries(record)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : value.join(',')}`)
    .join(' ');
}

/** A length of time for people: `5 s`, `30 min`, `2 h`. */
export function duration(ms: number): string {
  if (ms >= 3_600_000) return `${trimmed(ms / 3_600_000)} h`;
  if (ms >= 60_000) return `${trimmed(ms / 60_000)} min`;
  return ms >= 1_000 ? `${trimmed(ms / 1_000)} s` : `${ms} ms`;
}

function trimmed(value: number): string {
  return String(Number(value.toFixed(1)));
}

/** Text of a receiver on a few lines, safe to print. */
export function bodyLines(body: string): string[] {
  return body.split('\n').map((line) => `  ${printable(line.replace(/\r$/, ''))}`);
}
