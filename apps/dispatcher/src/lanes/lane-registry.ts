import { createLane, isIdle, type Lane } from './lane.ts';

/**
 * The lanes that have anything to do, by endpoint and by organisation. Those that have nothing to do at the moment rest, so that what is
 * known of their receivers isn't lost between two events; only so many do, and those that have rested for longest are forgotten.
 */
export interface LaneRegistry {
  /** The endpoint's lane, as it was when it went to rest, or made when there is none. */
  of(organisationId: string, endpointId: string): Lane;
  /** Also one that rests. */
  find(endpointId: string): Lane | undefined;
  ofOrganisation(organisationId: string): Iterable<Lane>;
  all(): Iterable<Lane>;
  /** It goes to rest if it has nothing to do any more. */
  restIfIdle(lane: Lane): void;
  /** Those that rest, too. */
  known(): Iterable<Lane>;
}

const mostResting = 10_000;

export function createLaneRegistry(most = mostResting): LaneRegistry {
  const lanes = new Map<string, Lane>();
  const byOrganisation = new Map<string, Set<Lane>>();
  /** Those that went to rest first come first. */
  const resting = new Map<string, Lane>();

  return {
    of(organisationId, endpointId) {
      const known = lanes.get(endpointId);
      if (known !== undefined) return known;
      const lane = resting.get(endpointId) ?? createLane(organisationId, endpointId);
      resting.delete(endpointId);
      lanes.set(endpointId, lane);
      const siblings = byOrganisation.get(organisationId);
      if (siblings === undefined) byOrganisation.set(organisationId, new Set([lane]));
      else siblings.add(lane);
      return lane;
    },
    find: (endpointId) => lanes.get(endpointId) ?? resting.get(endpointId),
    ofOrganisation: (organisationId) => byOrganisation.get(organisationId) ?? [],
    all: () => lanes.values(),
    restIfIdle(lane) {
      if (!isIdle(lane) || !lanes.delete(lane.endpointId)) return;
      resting.set(lane.endpointId, lane);
      if (resting.size > most) for (const [oldest] of resting) if (resting.delete(oldest)) break;
      const siblings = byOrganisation.get(lane.organisationId);
      siblings?.delete(lane);
      if (siblings?.size === 0) byOrganisation.delete(lane.organisationId);
    },
    *known() {
      yield* lanes.values();
      yield* resting.values();
    },
  };
}
