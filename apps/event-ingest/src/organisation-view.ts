import { configV1, publishLimitsFromMessage } from '@posthorn/contracts';
import {
  defaultRetention,
  DomainError,
  limitsPublishing,
  type Enforcement,
  type Principal,
  type PublishLimits,
} from '@posthorn/models';
import type { CallOptions, Client } from '@posthorn/rpc';
import type { Clock, Logger } from '@posthorn/runtime';
import { LRUCache } from 'lru-cache';

/**
 * What the accept path knows of an organisation: whether it exists, and the rules for its event types. Views are loaded
 * on demand and kept; one ListChanges says which to load again. A view that is used is at most `maxAgeMs` behind the
 * configuration, so a schema may take that long to be enforced; with 0, a change that was answered before a publish began
 * always holds for it, at the price of one small RPC that concurrent publishes share.
 * While the config service is away, what was seen in the last 15 minutes goes on being used; after that, `unavailable`.
 */
export interface OrganisationViews {
  /** The view, or a promise of it when something has to be asked. Errors: `not_found`, `unavailable`. */
  get(organisationId: string): OrganisationView | Promise<OrganisationView>;
}

export interface OrganisationView {
  /** Publishing an event of a type that isn't in `types` is refused. */
  readonly requireKnownTypes: boolean;
  readonly types: ReadonlyMap<string, TypeRule>;
  /** What it may publish; null where nothing limits that. */
  readonly limits: PublishLimits | null;
  /** Days that payloads are kept: as long as a delivery may wait. */
  readonly payloadDays: number;
}

/** What the catalogue says about an event type. */
export interface TypeRule {
  readonly retired: boolean;
  /** `off` when there is no schema. */
  readonly enforcement: Enforcement;
  readonly schemaJson: string;
}

export interface OrganisationViewsOptions {
  readonly directory: Client<typeof configV1.DirectoryServiceService>;
  readonly principal: Principal;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly maxAgeMs: number;
  /** Those of organisations that have none of their own, limit by limit. */
  readonly standardLimits: PublishLimits;
}

/** Rule 22 of the pipeline: what was seen this recently outlives the config service. */
const outageToleranceMs = 15 * 60 * 1000;
/** After a failed look for changes: how long until the next one, when a usable view is there. */
const retryAfterFailureMs = 1000;
const refreshDeadlineMs = 500;
const loadDeadlineMs = 2000;
const maxViews = 10_000;

export function createOrganisationViews(settings: OrganisationViewsOptions): OrganisationViews {
  const { directory, principal, clock, logger, maxAgeMs } = settings;
  const views = new LRUCache<string, OrganisationView>({ max: maxViews });
  /** Loads under way; one that is no longer in here was overtaken by a change and isn't kept. */
  const loads = new Map<string, Promise<OrganisationView>>();
  let revision = 0n;
  /** Monotonic moments: everything in `views` is at least as new as `freshAsOf`. */
  let freshAsOf = -Infinity;
  let failedAt = -Infinity;
  let running: { readonly startedAt: number; readonly done: Promise<void> } | undefined;
  let next: Promise<void> | undefined;

  function callOptions(deadlineMs: number): CallOptions {
    return { principal, deadlineMs };
  }

  async function lookForChanges(startedAt: number): Promise<void> {
    try {
      const changes = await directory.listChanges(
        { sinceRevision: revision },
        callOptions(refreshDeadlineMs),
      );
      if (changes.reset) {
        views.clear();
        loads.clear();
      }
      for (const id of changes.organisationIds) {
        views.delete(id);
        loads.delete(id);
      }
      revision = changes.revision;
      freshAsOf = startedAt;
      failedAt = -Infinity;
    } catch (error) {
      if (failedAt === -Infinity)
        logger.warn({ err: error }, 'configuration is away: using what was seen last');
      failedAt = clock.monotonic();
    } finally {
      running = undefined;
    }
  }

  function refresh(): Promise<void> {
    const startedAt = clock.monotonic();
    const done = lookForChanges(startedAt);
    running = { startedAt, done };
    return done;
  }

  /** Resolves when a look for changes that is recent enough has ended, well or badly. */
  function refreshed(): Promise<void> {
    if (running === undefined) return refresh();
    if (clock.monotonic() - running.startedAt < maxAgeMs) return running.done;
    // What is under way may have read before the caller came: everyone who comes meanwhile shares the next one.
    next ??= running.done.then(() => {
      next = undefined;
      return refresh();
    });
    return next;
  }

  function load(organisationId: string): Promise<OrganisationView> {
    const underWay = loads.get(organisationId);
    if (underWay !== undefined) return underWay;
    const loading: Promise<OrganisationView> = loadView(settings, organisationId, callOptions(loadDeadlineMs))
      .then((view) => {
        if (loads.get(organisationId) === loading) views.set(organisationId, view);
        return view;
      })
      .finally(() => {
        if (loads.get(organisationId) === loading) loads.delete(organisationId);
      });
    loads.set(organisationId, loading);
    return loading;
  }

  async function getSlowly(organisationId: string): Promise<OrganisationView> {
    await refreshed();
    if (clock.monotonic() - freshAsOf > outageToleranceMs) {
      throw new DomainError('unavailable', 'The configuration cannot be read; try again soon.', {
        retryAfterMs: retryAfterFailureMs,
      });
    }
    return views.get(organisationId) ?? load(organisationId);
  }

  return {
    get(organisationId) {
      const now = clock.monotonic();
      const view = views.get(organisationId);
      if (view === undefined) return getSlowly(organisationId);
      if (now - freshAsOf < maxAgeMs) return view;
      const away = failedAt !== -Infinity && now - freshAsOf <= outageToleranceMs;
      if (!away) return getSlowly(organisationId);
      // Nobody waits for a service that is known to be away; one caller a second finds out whether it still is.
      if (running === undefined && now - failedAt >= retryAfterFailureMs) void refresh();
      return view;
    },
  };
}

async function loadView(
  { directory, standardLimits }: OrganisationViewsOptions,
  organisationId: string,
  options: CallOptions,
): Promise<OrganisationView> {
  const types = new Map<string, TypeRule>();
  let requireKnownTypes = false;
  let limits: PublishLimits | null = null;
  let { payloadDays } = defaultRetention;
  let cursor = '';
  do {
    const page = await directory.getOrganisationView(
      { organisationId, cursor, omitEndpoints: true },
      options,
    );
    requireKnownTypes = page.organisation?.requireKnownTypes ?? requireKnownTypes;
    if (page.organisation !== undefined) limits = limitsOf(page.organisation, standardLimits);
    payloadDays = page.organisation?.retention?.payloadDays ?? payloadDays;
    for (const type of page.eventTypes) types.set(type.name, typeRule(type));
    cursor = page.nextCursor;
  } while (cursor !== '');
  return { requireKnownTypes, types, limits, payloadDays };
}

function limitsOf(organisation: configV1.Organisation, standard: PublishLimits): PublishLimits | null {
  const own = publishLimitsFromMessage(organisation.limits?.publishing);
  const limits: PublishLimits = {
    publishesPerSecond: own.publishesPerSecond ?? standard.publishesPerSecond,
    publishesPerDay: own.publishesPerDay ?? standard.publishesPerDay,
    bytesPerDay: own.bytesPerDay ?? standard.bytesPerDay,
  };
  return limitsPublishing(limits) ? limits : null;
}

function typeRule(type: configV1.EventType): TypeRule {
  return {
    retired: type.retired,
    enforcement: type.schemaJson === undefined ? 'off' : enforcementFromMessage(type.enforcement),
    schemaJson: type.schemaJson ?? '',
  };
}

function enforcementFromMessage(enforcement: configV1.Enforcement): Enforcement {
  if (enforcement === configV1.Enforcement.ENFORCEMENT_REJECT) return 'reject';
  return enforcement === configV1.Enforcement.ENFORCEMENT_WARN ? 'warn' : 'off';
}
