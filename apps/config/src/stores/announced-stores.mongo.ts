import type { EndpointStore } from '../endpoints/endpoint-store.ts';
import type { EventTypeStore } from '../event-types/event-type-store.ts';
import type { OrganisationStore } from '../organisations/organisation-store.ts';
import type { PolicyStore } from '../policies/policy-store.ts';
import type { Announce } from '../directory/revision-store.mongo.ts';

/**
 * The stores whose writes others have to learn of, each write announced. Also one that changed nothing, because there was
 * nothing to change: the answer to its first try may have been lost.
 */
export function announceOrganisations(store: OrganisationStore, announce: Announce): OrganisationStore {
  return {
    ...store,
    insert: (organisation) => announce(organisation.id, () => store.insert(organisation)),
    update: (id, changes) => announce(id, () => store.update(id, changes)),
    delete: (id) => announce(id, () => store.delete(id)),
  };
}

export function announceEventTypes(store: EventTypeStore, announce: Announce): EventTypeStore {
  return {
    ...store,
    put: (eventType, max) => announce(eventType.organisationId, () => store.put(eventType, max)),
    update: (organisationId, name, changes) =>
      announce(organisationId, () => store.update(organisationId, name, changes)),
    delete: (organisationId, name) => announce(organisationId, () => store.delete(organisationId, name)),
    deleteSome: (organisationId, limit) =>
      announce(organisationId, () => store.deleteSome(organisationId, limit)),
  };
}

export function announceEndpoints(store: EndpointStore, announce: Announce): EndpointStore {
  return {
    ...store,
    insert: (made, max) => announce(made.endpoint.organisationId, () => store.insert(made, max)),
    replace: (stored) => announce(stored.endpoint.organisationId, () => store.replace(stored)),
    delete: (stored) => announce(stored.endpoint.organisationId, () => store.delete(stored)),
    deleteSome: (organisationId, limit) =>
      announce(organisationId, () => store.deleteSome(organisationId, limit)),
  };
}

export function announcePolicies(store: PolicyStore, announce: Announce): PolicyStore {
  return {
    ...store,
    insert: (made, max) => announce(made.policy.organisationId, () => store.insert(made, max)),
    replace: (stored) => announce(stored.policy.organisationId, () => store.replace(stored)),
    deleteSome: (organisationId, limit) =>
      announce(organisationId, () => store.deleteSome(organisationId, limit)),
  };
}
