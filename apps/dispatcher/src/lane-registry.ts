import { createLane, type Lane } from './lane.ts';

/** The lanes that have anything to do, by endpoint and by organisation. */
export interface LaneRegistry {
  /** The endpoint's lane, made when there is none. */
  of(organisationId: string, endpointId: string): Lane;
  find(endpointId: string): Lane | undefined;
  ofOrganisation(organisationId: string): Iterable<Lane>;
  all(): Iterable<Lane>;
  forget(lane: Lane): void;
}

export function createLaneRegistry(): LaneRegistry {
  const lanes = new Map<string, Lane>();
  const byOrganisation = new Map<string, Set<Lane>>();

  return {
    of(organisationId, endpointId) {
      const known = lanes.get(endpointId);
      if (known !== undefined) return known;
      const lane = createLane(organisationId, endpointId);
      lanes.set(endpointId, lane);
      const siblings = byOrganisation.get(organisationId);
      if (siblings === undefined) byOrganisation.set(organisationId, new Set([lane]));
      else siblings.add(lane);
      return lane;
    },
    find: (endpointId) => lanes.get(endpointId),
    ofOrganisation: (organisationId) => byOrganisation.get(organisationId) ?? [],
    all: () => lanes.values(),
    forget(lane) {
      lanes.delete(lane.endpointId);
      const siblings = byOrganisation.get(lane.organisationId);
      siblings?.delete(lane);
      if (siblings?.size === 0) byOrganisation.delete(lane.organisationId);
    },
  };
}
