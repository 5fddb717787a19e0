import {
  failingEvent,
  recoveredEvent,
  type Attempt,
  type OperationalEvent,
  type SigningEndpoint,
} from '@posthorn/models';
import { createBatcher, type Clock, type Logger } from '@posthorn/runtime';
import type { DeliverySearch } from '../deliveries/delivery-search.ts';
import type { DeliveryRecord } from '../deliveries/delivery-store.ts';
import type { Directory } from '../directory.ts';
import type { EndpointTrouble, TroubleStore } from './trouble-store.ts';
import { isWanted } from './wanted-event.ts';

/**
 * Which endpoints fail, over all dispatchers. An endpoint's trouble begins when five attempts in a row have failed, for whatever reason
 * and as far as one dispatcher has seen, and ends with the next success that any of them sees. Its begin and its end are told to its
 * organisation, once each, by the dispatcher whose write it was. An endpoint that is paused, disabled or deleted ends its trouble
 * without a word: when it is back, it has all its time before it.
 *
 * A native endpoint that has failed for longer than `disableAfterMs` without a success, which the records have to confirm, is
 * disabled when the next attempt fails. The other dialects have rules of their own (switch-off.ts).
 */
export interface EndpointTroubles {
  /** Told what was just put on record. */
  observe(records: readonly DeliveryRecord[]): void;
  /** An endpoint's breaker has opened; nothing but a probe goes out for about `forMs`. */
  opened(endpointId: string, forMs: number): void;
  /** Brings in what others have put on record, and ends what isn't of endpoints that take deliveries. */
  refresh(): Promise<void>;
  /** The endpoints of an organisation may have changed. */
  changed(organisationId: string): void;
  /** Those of the endpoints that are failing, as all dispatchers together know. */
  find: TroubleStore['find'];
  /** Resolves when nothing of it is under way. */
  idle(): Promise<void>;
}

const failuresToTell = 5;
/** Endpoints whose failures are counted; those that have failed least recently are forgotten. */
const mostCounted = 10_000;
const writesAtOnce = 16;
const listAtOnce = 500;
/** A probe that goes out late, or takes long, doesn't make an endpoint look better than it is. */
const probeMarginMs = 15_000;
/** How far back the records are looked at; an endpoint with more attempts than that is left on. */
const mostAttempts = 10_000;

interface Failures {
  readonly organisationId: string;
  readonly count: number;
  /** When the first of them began. */
  readonly since: Date;
}

export function createEndpointTroubles(options: {
  readonly store: TroubleStore;
  readonly search: Pick<DeliverySearch, 'latestAttempts'>;
  readonly directory: Pick<Directory, 'organisation' | 'endpoint' | 'isLoaded' | 'loadAvailable'>;
  readonly disable: (endpoint: SigningEndpoint, reason: string) => Promise<void>;
  readonly publish: (event: OperationalEvent) => void;
  /** 0: never. */
  readonly disableAfterMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}): EndpointTroubles {
  const { store, search, directory, disable, publish, disableAfterMs, clock, logger } = options;
  /** The endpoint that has failed least recently comes first. */
  const failures = new Map<string, Failures>();
  const known = new Map<string, EndpointTrouble>();
  /** Until when breakers are open of which nothing is on record yet. */
  const openUntil = new Map<string, Date>();
  const underWay = new Map<string, Promise<void>>();
  const begin = createBatcher<EndpointTrouble, Awaited<ReturnType<TroubleStore['begin']>>>({
    maxItems: writesAtOnce,
    run: (troubles) =>
      Promise.all(
        troubles.map((trouble) =>
          store.begin(trouble).then(
            (value) => ({ ok: true, value }) as const,
            (error: unknown) => ({ ok: false, error }) as const,
          ),
        ),
      ),
  });

  /** One thing at a time for an endpoint: what comes meanwhile is seen again with its next attempt. */
  function once(endpointId: string, what: string, work: () => Promise<void>): void {
    if (underWay.has(endpointId)) return;
    const done = work()
      .catch((error: unknown) =>
        logger.error({ err: error, endpointId }, `${what} failed; trying again later`),
      )
      .finally(() => underWay.delete(endpointId));
    underWay.set(endpointId, done);
  }

  function tell(event: OperationalEvent): void {
    const view = directory.organisation(event.organisationId);
    if (view !== null && isWanted(event, view)) publish(event);
  }

  function succeeded({ endpointId, startedAt }: Attempt): void {
    failures.delete(endpointId);
    openUntil.delete(endpointId);
    const trouble = known.get(endpointId);
    if (trouble === undefined) return;
    once(endpointId, 'noting that an endpoint has recovered', () => end(trouble, startedAt));
  }

  async function end(trouble: EndpointTrouble, recoveredAt: Date | null): Promise<void> {
    const { organisationId, endpointId, failingSince } = trouble;
    const isEnded = await store.end(trouble);
    if (known.get(endpointId)?.failingSince.getTime() === failingSince.getTime()) known.delete(endpointId);
    failures.delete(endpointId);
    const endpoint = directory.endpoint(organisationId, endpointId)?.endpoint;
    if (isEnded && recoveredAt !== null && endpoint !== undefined) {
      tell(recoveredEvent({ endpoint, failingSince, at: recoveredAt }));
    }
  }

  function failed(attempt: Attempt): void {
    const { organisationId, endpointId, startedAt } = attempt;
    const counted = failures.get(endpointId);
    const count = (counted?.count ?? 0) + 1;
    const since = counted?.since ?? startedAt;
    failures.delete(endpointId);
    failures.set(endpointId, { organisationId, count, since });
    if (failures.size > mostCounted) for (const [first] of failures) if (failures.delete(first)) break;
    const trouble = known.get(endpointId);
    if (trouble !== undefined) considerDisabling(trouble);
    else if (count >= failuresToTell) {
      const begun = { organisationId, endpointId, failingSince: since };
      once(endpointId, 'noting that an endpoint fails', () => beginOne(begun, attempt));
    }
  }

  async function beginOne(begun: Omit<EndpointTrouble, 'openUntil'>, lastAttempt: Attempt): Promise<void> {
    const { organisationId, endpointId } = begun;
    const signing = directory.endpoint(organisationId, endpointId);
    if (signing?.endpoint.state !== 'enabled') return;
    const until = openUntil.get(endpointId) ?? null;
    const { trouble, isNew } = await begin.submit({ ...begun, openUntil: until });
    openUntil.delete(endpointId);
    known.set(endpointId, trouble);
    const { failingSince } = trouble;
    if (isNew) tell(failingEvent({ endpoint: signing.endpoint, failingSince, lastAttempt }));
    // It has answered meanwhile, which nobody has noted, or takes nothing any more.
    if (!failures.has(endpointId)) await end(trouble, isClosed(trouble) ? null : new Date(clock.now()));
  }

  function considerDisabling(trouble: EndpointTrouble): void {
    if (disableAfterMs === 0 || clock.now() - trouble.failingSince.getTime() < disableAfterMs) return;
    const { organisationId, endpointId, failingSince } = trouble;
    const signing = directory.endpoint(organisationId, endpointId);
    if (signing === undefined || signing.endpoint.state === 'disabled') return;
    if (signing.endpoint.dialect !== 'standard') return;
    once(endpointId, 'disabling an endpoint that fails', async () => {
      const recoveredAt = await lastSuccessSince(failingSince, organisationId, endpointId);
      if (recoveredAt === 'unknown') return;
      if (recoveredAt === null) await disable(signing, 'failing');
      else await end(trouble, recoveredAt);
      if (isClosed(trouble)) await end(trouble, null);
    });
  }

  async function lastSuccessSince(
    since: Date,
    organisationId: string,
    endpointId: string,
  ): Promise<Date | null | 'unknown'> {
    let seen = 0;
    for await (const slice of search.latestAttempts(organisationId, endpointId)) {
      for (const { startedAt, succeeded: isSuccess } of slice) {
        if (startedAt < since) return null;
        if (isSuccess) return startedAt;
        if (++seen === mostAttempts) return 'unknown';
      }
    }
    return null;
  }

  /** An endpoint that takes nothing now, or is no more, isn't failing. */
  const isClosed = ({
    organisationId,
    endpointId,
  }: Pick<EndpointTrouble, 'organisationId' | 'endpointId'>): boolean =>
    directory.isLoaded(organisationId) &&
    directory.endpoint(organisationId, endpointId)?.endpoint.state !== 'enabled';

  function endIfClosed(trouble: EndpointTrouble): void {
    if (!isClosed(trouble)) return;
    const { endpointId } = trouble;
    once(endpointId, 'ending the trouble of an endpoint that takes nothing', () => end(trouble, null));
  }

  return {
    observe(records) {
      for (const { attempt } of records) {
        if (attempt === null) continue;
        if (attempt.outcome === 'success') {
          if (failures.size > 0 || known.size > 0) succeeded(attempt);
        } else if (attempt.outcome !== 'internal' && attempt.trigger !== 'test') failed(attempt);
      }
    },

    opened(endpointId, forMs) {
      const until = new Date(clock.now() + forMs + probeMarginMs);
      const trouble = known.get(endpointId);
      if (trouble === undefined) {
        openUntil.set(endpointId, until);
        return;
      }
      once(endpointId, 'noting that a breaker is open', async () => {
        await begin.submit({ ...trouble, openUntil: until });
      });
    },

    async refresh() {
      const found = new Map<string, EndpointTrouble>();
      for (let after: EndpointTrouble | null = null; ;) {
        const page: readonly EndpointTrouble[] = await store.list(after, listAtOnce);
        for (const trouble of page) found.set(trouble.endpointId, trouble);
        after = page.at(-1) ?? null;
        if (after === null || page.length < listAtOnce) break;
      }
      await directory.loadAvailable([...found.values()].map(({ organisationId }) => organisationId));
      for (const endpointId of known.keys()) if (!found.has(endpointId)) known.delete(endpointId);
      for (const [endpointId, trouble] of found) {
        known.set(endpointId, trouble);
        endIfClosed(trouble);
      }
      // What hasn't become a trouble by now was closed again before that.
      const now = clock.now();
      for (const [endpointId, until] of openUntil) if (until.getTime() < now) openUntil.delete(endpointId);
    },

    changed(organisationId) {
      for (const [endpointId, counted] of failures) {
        if (counted.organisationId === organisationId && isClosed({ organisationId, endpointId }))
          failures.delete(endpointId);
      }
      for (const trouble of known.values())
        if (trouble.organisationId === organisationId) endIfClosed(trouble);
    },

    find: (organisationId, endpointIds) => store.find(organisationId, endpointIds),

    async idle() {
      await Promise.all(underWay.values());
    },
  };
}
