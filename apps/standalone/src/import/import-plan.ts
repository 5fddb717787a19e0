/**
 * What importing an item would do here: create it, change what differs, or nothing. Planning only reads; `carryOut` is the only thing
 * that writes. Planning after an import finds nothing left to do, so that a team can import again and again until it switches over.
 */
import { ApiError } from '../client/api-error.ts';
import type { ApiClient } from '../client/api-client.ts';
import type { EndpointResource, PolicyResource, SecretResource } from '../client/resources.ts';
import type { EndpointItem, ImportItem, PolicyItem } from './import-item.ts';

export type ImportAction = 'create' | 'update' | 'unchanged' | 'impossible';

export interface ImportStep {
  readonly kind: ImportItem['kind'];
  /** The uid of an endpoint, the name of a policy. */
  readonly name: string;
  readonly url: string | null;
  readonly action: ImportAction;
  /** What is missing, or what differs. */
  readonly note: string;
  /** Does it; nothing where nothing is to be done. */
  carryOut(): Promise<void>;
}

type Destination = Pick<ApiClient, 'send' | 'list'>;

/** Plans items in their order: policies have to come before the endpoints that name them. */
export async function* planImport(
  items: AsyncIterable<ImportItem>,
  api: Destination,
): AsyncGenerator<ImportStep, void, undefined> {
  const disabled: PolicyItem[] = [];
  /** The policies that are here, and those that will be. */
  let policies: Promise<Map<string, PolicyResource | null>> | undefined;

  async function readPolicies(): Promise<Map<string, PolicyResource | null>> {
    const found = new Map<string, PolicyResource | null>();
    for await (const policy of api.list<PolicyResource>('/v1/policies', { limit: null }))
      found.set(policy.name, policy);
    return found;
  }
  const knownPolicies = (): Promise<Map<string, PolicyResource | null>> => (policies ??= readPolicies());

  async function planPolicy(item: PolicyItem): Promise<ImportStep> {
    const { name, algorithm, audience, expiresInMinutes, disabled, key } = item;
    const step = { kind: item.kind, name, url: null };
    const known = await knownPolicies();
    const present = known.get(name);
    if (present === undefined || present === null) {
      if (key === null) return impossible(step, 'its key is missing: give it in --file');
      known.set(name, null);
      const body = { name, algorithm, audience, expiresInMinutes, ...(key !== '' && { key }) };
      return {
        ...step,
        action: 'create',
        note: algorithm,
        async carryOut() {
          known.set(name, await api.send<PolicyResource>('POST', '/v1/policies', { body }));
        },
      };
    }
    const wanted = { algorithm, audience, expiresInMinutes, ...(!disabled && { disabled }) };
    const changes = differences(wanted, { ...present });
    if (Object.keys(changes).length === 0) return unchanged(step);
    return {
      ...step,
      action: 'update',
      note: Object.keys(changes).join(', '),
      async carryOut() {
        await api.send('PATCH', `/v1/policies/${present.id}`, { body: changes });
      },
    };
  }

  /** No endpoint can be tied to a disabled policy, so that is done when everything is tied. */
  async function planDisabling({ name }: PolicyItem): Promise<ImportStep | null> {
    const known = await knownPolicies();
    if (!known.has(name) || known.get(name)?.disabled === true) return null;
    return {
      kind: 'policy',
      name,
      url: null,
      action: 'update',
      note: 'disabled',
      async carryOut() {
        await api.send('PATCH', `/v1/policies/${await policyIdOf(name)}`, { body: { disabled: true } });
      },
    };
  }

  async function policyIdOf(name: string): Promise<string> {
    const policy = (await knownPolicies()).get(name);
    if (policy === undefined || policy === null) throw new Error(`There is no policy ${name}.`);
    return policy.id;
  }

  async function planEndpoint(item: EndpointItem): Promise<ImportStep> {
    const step = { kind: item.kind, name: item.uid, url: item.url };
    if (item.secret === null) return impossible(step, 'its secret is missing: give it in --file');
    if (typeof item.policy === 'string' && !(await knownPolicies()).has(item.policy)) {
      return impossible(step, `there is no policy ${item.policy}`);
    }
    const present = await readEndpoint(item.uid);
    return present === null ? creation(item, step) : change(item, step, present);
  }

  async function readEndpoint(uid: string): Promise<EndpointResource | null> {
    try {
      return await api.send<EndpointResource>('GET', pathOf(uid));
    } catch (error) {
      if (error instanceof ApiError && error.problem.status === 404) return null;
      throw error;
    }
  }

  function creation(item: EndpointItem, step: Pick<ImportStep, 'kind' | 'name' | 'url'>): ImportStep {
    const { uid, url, settings, secret, policy, isEnabled, isVerified } = item;
    return {
      ...step,
      action: 'create',
      note: isEnabled ? '' : 'disabled',
      async carryOut() {
        const body = {
          ...settings,
          uid,
          url,
          ...(secret !== undefined && { secret }),
          ...(typeof policy === 'string' && { policy: await policyIdOf(policy) }),
          ...(isVerified && isAsked(settings['dialect']) && { verification: 'passed' }),
        };
        await api.send('POST', '/v1/endpoints', { body });
        if (!isEnabled) await api.send('POST', `${pathOf(uid)}/disable`);
      },
    };
  }

  async function change(
    { uid, url, settings, secret, policy, isEnabled }: EndpointItem,
    step: Pick<ImportStep, 'kind' | 'name' | 'url'>,
    present: EndpointResource,
  ): Promise<ImportStep> {
    if (present.dialect !== settings['dialect'])
      return impossible(step, `there is an endpoint of ${present.dialect} with this uid`);
    const policyId =
      typeof policy === 'string' ? ((await knownPolicies()).get(policy)?.id ?? policy) : policy;
    const wanted = { url, ...settings, ...(policyId !== undefined && { policy: policyId }) };
    const { dialect: _, ...changes } = differences(wanted, { ...present });
    const isOther = secret !== undefined && (await currentSecret(uid)) !== secret;
    const isMoved = isEnabled !== (present.state === 'enabled');
    const notes = [
      ...Object.keys(changes),
      ...(isOther ? ['secret'] : []),
      ...(isMoved ? [isEnabled ? 'enabled' : 'disabled'] : []),
    ];
    if (notes.length === 0) return unchanged(step);
    return {
      ...step,
      action: 'update',
      note: notes.join(', '),
      async carryOut() {
        if (Object.keys(changes).length > 0) await api.send('PATCH', pathOf(uid), { body: changes });
        if (isOther)
          await api.send('POST', `${pathOf(uid)}/secrets/rotate`, { body: { secret, overlapMs: 0 } });
        if (isMoved) await api.send('POST', `${pathOf(uid)}/${isEnabled ? 'enable' : 'disable'}`);
      },
    };
  }

  async function currentSecret(uid: string): Promise<string | undefined> {
    const { data } = await api.send<{ readonly data: readonly SecretResource[] }>(
      'GET',
      `${pathOf(uid)}/secrets`,
    );
    return data.find(({ expiresAt }) => expiresAt === null)?.secret;
  }

  for await (const item of items) {
    if (item.kind === 'endpoint') yield await planEndpoint(item);
    else {
      if (item.disabled) disabled.push(item);
      yield await planPolicy(item);
    }
  }
  for (const policy of disabled) {
    const step = await planDisabling(policy);
    if (step !== null) yield step;
  }
}

/** Whether endpoints of the dialect are asked, or tried out, before they get events. */
function isAsked(dialect: unknown): boolean {
  return dialect === 'ricloud' || dialect === 'xurrent';
}

function impossible(step: Pick<ImportStep, 'kind' | 'name' | 'url'>, note: string): ImportStep {
  return { ...step, action: 'impossible', note, carryOut: () => Promise.resolve() };
}

function unchanged(step: Pick<ImportStep, 'kind' | 'name' | 'url'>): ImportStep {
  return { ...step, action: 'unchanged', note: '', carryOut: () => Promise.resolve() };
}

/** The wanted fields that are otherwise here. */
function differences(
  wanted: Readonly<Record<string, unknown>>,
  present: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(wanted).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(present[name] ?? null),
    ),
  );
}

function pathOf(uid: string): string {
  return `/v1/endpoints/${encodeURIComponent(uid)}`;
}
