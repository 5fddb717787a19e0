import {
  compileMatcher,
  DomainError,
  type Matcher,
  type Organisation,
  type Principal,
  type SigningEndpoint,
  type SigningPolicy,
} from '@posthorn/models';
import {
  organisationFromMessage,
  signingEndpointFromMessage,
  signingPolicyFromMessage,
  type configV1,
} from '@posthorn/contracts';
import type { Client } from '@posthorn/rpc';

/**
 * The dispatcher's own view of the configuration. Before a batch is planned the view is brought up to now, so that an
 * endpoint that was created before an event was published always sees it; organisations are loaded when they are first
 * needed and again when they change.
 */
export interface Directory {
  /**
   * The barrier: when it resolves, every config write that was answered before this call is in the view of the
   * organisations that are loaded, except of those whose view can't be had: these wait alone, until `load` has them.
   * Errors: `unavailable` when config is away; the view stays as it was.
   */
  bringUpToDate(): Promise<void>;
  /** Loads those of the organisations that aren't loaded yet, or whose view is out of date. */
  load(organisationIds: Iterable<string>): Promise<void>;
  /** The same; those whose view can't be had don't keep the others from being loaded, and are answered with the reasons. */
  loadAvailable(organisationIds: Iterable<string>): Promise<ReadonlyMap<string, unknown>>;
  /** Whether the view of the organisation is there: only then does an endpoint that isn't in it not exist. */
  isLoaded(organisationId: string): boolean;
  /** Null when there is no such organisation (any more), or it isn't loaded. */
  organisation(organisationId: string): OrganisationView | null;
  endpoint(organisationId: string, endpointId: string): SigningEndpoint | undefined;
  /** Called with an organisation whose view was replaced. */
  onChange(listener: (organisationId: string) => void): void;
}

export interface OrganisationView {
  readonly organisation: Organisation;
  readonly endpoints: ReadonlyMap<string, SigningEndpoint>;
  readonly policies: ReadonlyMap<string, SigningPolicy>;
  readonly matcher: Matcher;
}

export interface DirectoryOptions {
  readonly client: Client<typeof configV1.DirectoryServiceService>;
  readonly principal: Principal;
}

const nothingMissing: ReadonlyMap<string, unknown> = new Map();

export function createDirectory({ client, principal }: DirectoryOptions): Directory {
  /** Null: loaded, and there is no such organisation. */
  const views = new Map<string, OrganisationView | null>();
  /** Those that have changed since their view was fetched, and couldn't be fetched again. */
  const stale = new Set<string>();
  const loading = new Map<string, Promise<void>>();
  const listeners: ((organisationId: string) => void)[] = [];
  let revision = 0n;
  /** A refresh that runs, and the one that waits for it: a caller needs one that began after its call. */
  let current: Promise<void> | null = null;
  let following: Promise<void> | null = null;

  async function refresh(): Promise<void> {
    const changes = await client.listChanges({ sinceRevision: revision }, { principal });
    if (changes.revision === revision && stale.size === 0) return;
    const isKnown = (id: string): boolean => views.has(id) || loading.has(id);
    const changed = changes.reset
      ? [...views.keys(), ...loading.keys()]
      : changes.organisationIds.filter(isKnown);
    // Nobody else waits for those that couldn't be had before.
    for (const id of stale) if (!loading.has(id)) void loadOne(id).catch(() => undefined);
    if (changes.revision === revision) return;
    await Promise.all([...new Set(changed)].map(reload));
    revision = changes.revision;
  }

  async function reload(organisationId: string): Promise<void> {
    // A load that is under way may have read the organisation before the change, and must not have the last word.
    await loading.get(organisationId)?.catch(() => undefined);
    try {
      replace(organisationId, await fetchView(organisationId));
    } catch {
      // It waits alone: whoever needs it as it is now asks for it, and is told why it can't be had.
      stale.add(organisationId);
    }
  }

  function replace(organisationId: string, view: OrganisationView | null): void {
    views.set(organisationId, view);
    stale.delete(organisationId);
    for (const listener of listeners) listener(organisationId);
  }

  async function fetchView(organisationId: string): Promise<OrganisationView | null> {
    const endpoints: SigningEndpoint[] = [];
    const policies: SigningPolicy[] = [];
    for (let cursor = ''; ;) {
      const page = await client
        .getOrganisationView({ organisationId, cursor, omitEndpoints: false }, { principal })
        .catch((error: unknown) => {
          if (error instanceof DomainError && error.code === 'not_found') return null;
          throw error;
        });
      if (page?.organisation === undefined) return null;
      endpoints.push(...page.endpoints.map(signingEndpointFromMessage));
      policies.push(...page.policies.map(signingPolicyFromMessage));
      cursor = page.nextCursor;
      if (cursor !== '') continue;
      const organisation = organisationFromMessage(page.organisation);
      return {
        organisation,
        endpoints: new Map(endpoints.map((signing) => [signing.endpoint.id, signing])),
        policies: new Map(policies.map((signing) => [signing.policy.id, signing])),
        matcher: compileMatcher(endpoints, organisation),
      };
    }
  }

  function loadOne(organisationId: string): Promise<void> {
    const running = loading.get(organisationId);
    if (running !== undefined) return running;
    const started = fetchView(organisationId)
      .then((view) => {
        if (stale.has(organisationId)) replace(organisationId, view);
        else views.set(organisationId, view);
      })
      .finally(() => loading.delete(organisationId));
    loading.set(organisationId, started);
    return started;
  }

  function missingOf(organisationIds: Iterable<string>): string[] {
    return [...new Set(organisationIds)].filter((id) => !views.has(id) || stale.has(id));
  }

  function startRefresh(): Promise<void> {
    const started: Promise<void> = refresh().finally(() => {
      if (current === started) current = null;
    });
    current = started;
    return started;
  }

  return {
    bringUpToDate() {
      if (current === null) return startRefresh();
      following ??= current
        .catch(() => undefined)
        .then(() => {
          following = null;
          return startRefresh();
        });
      return following;
    },
    async load(organisationIds) {
      const missing = missingOf(organisationIds);
      if (missing.length > 0) await Promise.all(missing.map(loadOne));
    },
    async loadAvailable(organisationIds) {
      const missing = missingOf(organisationIds);
      if (missing.length === 0) return nothingMissing;
      const unavailable = new Map<string, unknown>();
      await Promise.all(
        missing.map((id) => loadOne(id).catch((error: unknown) => unavailable.set(id, error))),
      );
      return unavailable;
    },
    isLoaded: (organisationId) => views.has(organisationId),
    organisation: (organisationId) => views.get(organisationId) ?? null,
    endpoint: (organisationId, endpointId) => views.get(organisationId)?.endpoints.get(endpointId),
    onChange: (listener) => void listeners.push(listener),
  };
}
