import type { Endpoint } from './endpoint.ts';
import type { Event } from '../events/event.ts';

/**
 * Which one of an organisation's ricloud endpoints an event is meant for: the one that the publishing key names, else the organisation's
 * default, else the oldest that has passed its test. What names an endpoint that is no more names nothing. Whoever is named is meant
 * whatever its state, and its deliveries are held while it can't take them; where nobody is named and none has passed, the oldest is
 * meant, so that what comes before the first test is held and not lost. One that is disabled and not named is never meant.
 *
 * An event type without a dot can't be told as type and action, so no ricloud endpoint gets it: null.
 */
export type RicloudRouter = (event: Pick<Event, 'type' | 'routesTo'>) => Endpoint | null;

/** Made once for a view of an organisation; `endpoints` may hold those of other dialects too. */
export function createRicloudRouter(
  endpoints: readonly Endpoint[],
  defaultEndpointId: string | null,
): RicloudRouter {
  const byAge = endpoints.filter(({ dialect }) => dialect === 'ricloud').sort(oldestFirst);
  const named = new Map(byAge.map((endpoint) => [endpoint.id, endpoint]));
  const inUse = byAge.filter(({ state }) => state !== 'disabled');
  const otherwise =
    named.get(defaultEndpointId ?? '') ??
    inUse.find(({ verification }) => verification === 'passed') ??
    inUse[0] ??
    null;
  return ({ type, routesTo }) => {
    if (!type.includes('.')) return null;
    return named.get(routesTo ?? '') ?? otherwise;
  };
}

function oldestFirst(a: Endpoint, b: Endpoint): number {
  return a.createdAt.getTime() - b.createdAt.getTime() || a.number - b.number;
}
