import type { SigningEndpoint } from './endpoint.ts';
import type { Event } from '../events/event.ts';
import { isOperationalEventType } from '../events/event-type-name.ts';
import { compileFilter, type Filter } from '../filters/filter.ts';
import { MatchEffort } from '../filters/match-effort.ts';
import { createRicloudRouter } from './ricloud-route.ts';

/**
 * Which endpoints of an organisation an event is for. Paused and disabled ones are among them: their deliveries are held, not dropped.
 *
 * Endpoints are found by event type through an index, and what was found for a type is remembered, so that ten thousand endpoints that
 * each want something else cost an event no more than the few that want it. Filters are compiled when they are first needed.
 *
 * Two dialects have a say: of all ricloud endpoints at most one gets an event (ricloud-route.ts), and a preo endpoint of an edition gets
 * only what is labelled with it.
 */
export interface Matcher {
  /**
   * The endpoints in the order in which they were given. `payload` is called at most once, and only when a filter has to be asked. Throws
   * `failed_precondition` when that takes the filters too much effort (match-effort.ts).
   */
  readonly match: (
    event: Pick<Event, 'type' | 'labels' | 'routesTo'>,
    payload: () => unknown,
  ) => readonly SigningEndpoint[];
}

/** For how many event types the endpoints found are remembered; the oldest is forgotten first. */
export const maxTypesRemembered = 1000;

/** The label that says which edition an event belongs to. */
export const editionLabel = 'edition_id';

export interface MatcherOptions {
  /** The organisation's `defaultRicloudEndpoint`. */
  readonly defaultRicloudEndpoint?: string | null;
}

/** A matcher over all endpoints of one organisation. */
export function compileMatcher(
  endpoints: readonly SigningEndpoint[],
  { defaultRicloudEndpoint = null }: MatcherOptions = {},
): Matcher {
  const ricloudEndpointFor = createRicloudRouter(
    endpoints.map(({ endpoint }) => endpoint),
    defaultRicloudEndpoint,
  );
  const candidatesFor = indexByType(endpoints.map(createCandidate));
  const remembered = new Map<string, readonly Candidate[]>();

  function candidates(type: string): readonly Candidate[] {
    const known = remembered.get(type);
    if (known !== undefined) return known;
    const found = candidatesFor(type);
    if (remembered.size >= maxTypesRemembered) {
      for (const oldest of remembered.keys()) {
        remembered.delete(oldest);
        break;
      }
    }
    remembered.set(type, found);
    return found;
  }

  return {
    match(event, payload) {
      const matched: SigningEndpoint[] = [];
      let asked: { readonly payload: unknown; readonly effort: MatchEffort } | null = null;
      for (const candidate of candidates(event.type)) {
        if (candidate.labels !== null && !hasLabels(event.labels, candidate.labels)) continue;
        const { id, dialect } = candidate.target.endpoint;
        if (dialect === 'ricloud' && ricloudEndpointFor(event)?.id !== id) continue;
        const filter = candidate.filter();
        if (filter !== null) {
          asked ??= { payload: payload(), effort: new MatchEffort() };
          if (!filter.matches(asked.payload, asked.effort)) continue;
        }
        matched.push(candidate.target);
      }
      return matched;
    },
  };
}

interface Candidate {
  readonly target: SigningEndpoint;
  readonly position: number;
  readonly labels: readonly (readonly [key: string, values: readonly string[]])[] | null;
  readonly filter: () => Filter | null;
}

function createCandidate(target: SigningEndpoint, position: number): Candidate {
  const { labels, editionId, filterJson } = target.endpoint;
  const wanted = Object.entries(labels ?? {});
  if (editionId !== null) wanted.push([editionLabel, [editionId]]);
  let compiled: { readonly filter: Filter | null } | null = null;
  return {
    target,
    position,
    labels: wanted.length === 0 ? null : wanted,
    filter: () => (compiled ??= { filter: filterJson === null ? null : readFilter(filterJson) }).filter,
  };
}

/** A filter that can't be read any more is no filter: a webhook too many is better than one that is lost in silence. */
function readFilter(filterJson: string): Filter | null {
  let json: unknown;
  try {
    json = JSON.parse(filterJson);
  } catch {
    return null;
  }
  const compiled = compileFilter(json);
  return compiled.ok ? compiled.filter : null;
}

function hasLabels(labels: Event['labels'], wanted: NonNullable<Candidate['labels']>): boolean {
  return wanted.every(([key, values]) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    return value !== undefined && values.includes(value);
  });
}

/** Finds the candidates for a type in the time that its segments and its candidates take, however many others there are. */
function indexByType(candidates: readonly Candidate[]): (type: string) => readonly Candidate[] {
  const everything: Candidate[] = [];
  const byName = new Map<string, Candidate[]>();
  const byPrefix = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    const patterns = candidate.target.endpoint.eventTypes;
    if (patterns === null || patterns.includes('*')) everything.push(candidate);
    for (const pattern of patterns ?? []) {
      if (pattern.endsWith('.*')) append(byPrefix, pattern.slice(0, -1), candidate);
      else if (pattern !== '*') append(byName, pattern, candidate);
    }
  }
  return (type) => {
    const unasked = isOperationalEventType(type) ? [] : everything;
    const named = [...(byName.get(type) ?? [])];
    for (let dot = type.indexOf('.'); dot !== -1; dot = type.indexOf('.', dot + 1)) {
      for (const candidate of byPrefix.get(type.slice(0, dot + 1)) ?? []) named.push(candidate);
    }
    return named.length === 0
      ? unasked
      : [...new Set([...unasked, ...named])].sort((a, b) => a.position - b.position);
  };
}

function append(index: Map<string, Candidate[]>, key: string, candidate: Candidate): void {
  const list = index.get(key);
  if (list === undefined) index.set(key, [candidate]);
  else list.push(candidate);
}
