/** What each of the four APIs shows, as items to import: one reader each, all pages, every state. */
import { CliError, exitCodes } from '../exit-codes.ts';
import type { FileEndpoint, ImportFile } from './import-file.ts';
import {
  uidOf,
  type EndpointItem,
  type ImportedDialect,
  type ImportItem,
  type PolicyItem,
} from './import-item.ts';
import type { SourceClient } from './source-client.ts';

export type SourceReader = (
  source: SourceClient,
  file: ImportFile,
) => AsyncGenerator<ImportItem, void, undefined>;

/** How the token of each API is sent. */
export const credentialHeaders: Readonly<
  Record<ImportedDialect, (token: string) => Readonly<Record<string, string>>>
> = {
  ricloud: (token) => ({ authorization: `Token ${token}` }),
  xurrent: (token) => ({ authorization: `Bearer ${token}` }),
  rapidly: (token) => ({ authorization: `Bearer ${token}` }),
  preo: (token) => ({ authorization: `Bearer ${token}` }),
};

export const sourceReaders: Readonly<Record<ImportedDialect, SourceReader>> = {
  ricloud: readRicloud,
  xurrent: readXurrent,
  rapidly: readRapidly,
  preo: readPreo,
};

/** Configs in every state; a deactivated one is only listed when it is asked for. Their secrets are shown. */
async function* readRicloud(source: SourceClient, file: ImportFile): AsyncGenerator<ImportItem> {
  for (const state of ['', 'state=deactivated&']) {
    for (let after = ''; ;) {
      const { body } = await source.get(`/configs/webhook?${state}limit=1000${after}`);
      const configs = arrayIn(body, 'data').map(entry);
      for (const config of configs) {
        const id = textIn(config, 'id');
        yield {
          kind: 'endpoint',
          uid: uidOf('ricloud', id),
          url: textIn(config, 'url'),
          settings: { dialect: 'ricloud' },
          secret: secretFor(id, file) ?? textIn(config, 'secret'),
          isEnabled: textIn(config, 'state') !== 'deactivated',
          isVerified: textIn(config, 'state') === 'valid',
        };
      }
      const last = configs.at(-1);
      if (last === undefined || entry(body)['has_more'] !== true) break;
      after = `&after_id=${encodeURIComponent(textIn(last, 'id'))}`;
    }
  }
}

const policyFields = 'name,disabled,jwt_alg,jwt_audience,jwt_claim_expires_in';

/** Policies, whose keys are in the file; and the file's endpoints, which the API doesn't show at all. */
async function* readXurrent(source: SourceClient, file: ImportFile): AsyncGenerator<ImportItem> {
  let next: string | null = `/webhook_policies?per_page=100&fields=${policyFields}`;
  while (next !== null) {
    const answer = await source.get(next);
    if (!Array.isArray(answer.body)) throw unexpected('a list of policies');
    for (const policy of answer.body.map(entry)) yield policyItem(policy, file);
    next = /<([^>]+)>;\s*rel="next"/.exec(answer.header('link') ?? '')?.[1] ?? null;
  }
  for (const endpoint of file.endpoints) yield xurrentEndpoint(endpoint);
}

function policyItem(policy: Entry, file: ImportFile): PolicyItem {
  const name = textIn(policy, 'name');
  const { jwt_audience: audience, jwt_claim_expires_in: expires } = policy;
  const algorithm = textIn(policy, 'jwt_alg');
  return {
    kind: 'policy',
    name,
    algorithm,
    audience: typeof audience === 'string' ? audience : null,
    expiresInMinutes: typeof expires === 'number' ? expires : null,
    disabled: policy['disabled'] === true,
    key: file.policies.find((given) => given.name === name)?.key ?? (algorithm === 'none' ? '' : null),
  };
}

function xurrentEndpoint({ id, url, name, policy, eventTypes, disabled }: FileEndpoint): EndpointItem {
  if (url === undefined) {
    throw new CliError(
      exitCodes.usage,
      `The endpoint ${id} of the file has no url: xurrent doesn't show its endpoints.`,
    );
  }
  return {
    kind: 'endpoint',
    uid: uidOf('xurrent', id),
    url,
    settings: { dialect: 'xurrent', ...(name !== undefined && { name }), ...(eventTypes && { eventTypes }) },
    policy: policy ?? null,
    isEnabled: disabled !== true,
    isVerified: true,
  };
}

/** Endpoints of every workspace that the token may see, with their secrets. */
async function* readRapidly(source: SourceClient, file: ImportFile): AsyncGenerator<ImportItem> {
  for (let page = 1; ; page += 1) {
    const { body } = await source.get(`/api/webhooks/endpoints?limit=100&page=${page}`);
    for (const endpoint of arrayIn(body, 'data').map(entry)) {
      const id = textIn(endpoint, 'id');
      yield {
        kind: 'endpoint',
        uid: uidOf('rapidly', id),
        url: textIn(endpoint, 'url'),
        settings: {
          dialect: 'rapidly',
          format: textIn(endpoint, 'format'),
          eventTypes: arrayIn(endpoint, 'events'),
        },
        secret: secretFor(id, file) ?? textIn(endpoint, 'secret'),
        isEnabled: endpoint['enabled'] === true,
        isVerified: true,
      };
    }
    const { pages } = entry(entry(body)['meta']);
    if (typeof pages !== 'number' || page >= pages) return;
  }
}

/** Endpoints, whose secrets are in the file: the API shows them only when they are made. */
async function* readPreo(source: SourceClient, file: ImportFile): AsyncGenerator<ImportItem> {
  let next: string | null = '/webhook-endpoints/?page_size=1000&ordering=created';
  while (next !== null) {
    const { body } = await source.get(next);
    for (const endpoint of arrayIn(body, 'results').map(entry)) {
      const id = textIn(endpoint, 'id');
      const { edition_id: editionId, timeout_seconds: seconds, secret } = endpoint;
      yield {
        kind: 'endpoint',
        uid: uidOf('preo', id),
        url: textIn(endpoint, 'url'),
        settings: {
          dialect: 'preo',
          name: textIn(endpoint, 'name'),
          eventTypes: arrayIn(endpoint, 'events'),
          editionId: typeof editionId === 'string' ? editionId : null,
          ...(typeof seconds === 'number' && { timeoutMs: seconds * 1000 }),
        },
        secret: secretFor(id, file) ?? (typeof secret === 'string' ? secret : null),
        isEnabled: endpoint['is_active'] === true,
        isVerified: true,
      };
    }
    const { next: link } = entry(body);
    next = typeof link === 'string' ? link : null;
  }
}

function secretFor(id: string, file: ImportFile): string | undefined {
  return file.endpoints.find((given) => given.id === id)?.secret;
}

type Entry = Readonly<Record<string, unknown>>;

function entry(value: unknown): Entry {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Entry;
  throw unexpected('an object');
}

function arrayIn(value: unknown, name: string): readonly unknown[] {
  const items = entry(value)[name];
  if (Array.isArray(items)) return items;
  throw unexpected(`a list as ${name}`);
}

function textIn(value: Entry, name: string): string {
  const text = value[name];
  if (typeof text === 'string') return text;
  throw unexpected(`text as ${name}`);
}

function unexpected(what: string): CliError {
  return new CliError(
    exitCodes.unavailable,
    `The API answered without ${what}: is it the one that was named?`,
  );
}
