/**
 * What config puts on record: every change that a caller makes, and looking at signing secrets. What it finds out by itself (a receiver
 * proves what it is) is told as operational events, and is nobody's action.
 */
import type { configV1 } from '@posthorn/contracts';
import type { AuditRules } from '@posthorn/rpc';

interface OfEndpoint {
  readonly organisationId: string;
  readonly idOrUid: string;
}
const ofEndpoint = ({ organisationId, idOrUid }: OfEndpoint) => ({ organisationId, resourceId: idOrUid });
const endpointIn = ({ endpoint }: { readonly endpoint?: configV1.Endpoint | undefined }) => endpoint?.id;

export const organisationRules: AuditRules<typeof configV1.OrganisationServiceService> = {
  createOrganisation: {
    action: 'organisation.create',
    of: ({ organisation }) => ({ resourceId: organisation?.slug }),
    idIn: ({ organisation }) => organisation?.id,
  },
  getOrganisation: null,
  listOrganisations: null,
  updateOrganisation: {
    action: 'organisation.update',
    of: ({ idOrSlug, updateMask }) => ({ resourceId: idOrSlug, updateMask }),
    idIn: ({ organisation }) => organisation?.id,
  },
  deleteOrganisation: { action: 'organisation.delete', of: ({ idOrSlug }) => ({ resourceId: idOrSlug }) },
};

export const keyRules: AuditRules<typeof configV1.KeyServiceService> = {
  createKey: {
    action: 'key.create',
    of: ({ key }) => ({ organisationId: key?.organisationId }),
    idIn: ({ key }) => key?.id,
  },
  getKey: null,
  listKeys: null,
  updateKey: {
    action: 'key.update',
    of: ({ organisationId, id, updateMask }) => ({ organisationId, resourceId: id, updateMask }),
  },
  deleteKey: {
    action: 'key.delete',
    of: ({ organisationId, id }) => ({ organisationId, resourceId: id }),
  },
  authenticate: null,
};

export const eventTypeRules: AuditRules<typeof configV1.EventTypeServiceService> = {
  putEventType: {
    action: 'event-type.put',
    of: ({ eventType }) => ({ organisationId: eventType?.organisationId, resourceId: eventType?.name }),
  },
  getEventType: null,
  listEventTypes: null,
  updateEventType: {
    action: 'event-type.update',
    of: ({ eventType, updateMask }) => ({
      organisationId: eventType?.organisationId,
      resourceId: eventType?.name,
      updateMask,
    }),
  },
  deleteEventType: {
    action: 'event-type.delete',
    of: ({ organisationId, name }) => ({ organisationId, resourceId: name }),
  },
};

export const endpointRules: AuditRules<typeof configV1.EndpointServiceService> = {
  createEndpoint: {
    action: 'endpoint.create',
    of: ({ endpoint }) => ({ organisationId: endpoint?.organisationId }),
    idIn: endpointIn,
  },
  getEndpoint: null,
  listEndpoints: null,
  searchEndpoints: null,
  updateEndpoint: {
    action: 'endpoint.update',
    of: (request) => ({ ...ofEndpoint(request), updateMask: request.updateMask }),
    idIn: endpointIn,
  },
  deleteEndpoint: { action: 'endpoint.delete', of: ofEndpoint },
  setEndpointState: { action: 'endpoint.state', of: ofEndpoint, idIn: endpointIn },
  listSecrets: { action: 'endpoint.secrets.read', of: ofEndpoint },
  rotateSecret: { action: 'endpoint.secrets.rotate', of: ofEndpoint },
  startVerification: { action: 'endpoint.verify', of: ofEndpoint, idIn: endpointIn },
  completeVerification: null,
  confirmVerification: null,
};

export const policyRules: AuditRules<typeof configV1.PolicyServiceService> = {
  createPolicy: {
    action: 'policy.create',
    of: ({ policy }) => ({ organisationId: policy?.organisationId }),
    idIn: ({ policy }) => policy?.id,
  },
  getPolicy: null,
  listPolicies: null,
  updatePolicy: {
    action: 'policy.update',
    of: ({ organisationId, idOrNumber, updateMask }) => ({
      organisationId,
      resourceId: idOrNumber,
      updateMask,
    }),
    idIn: ({ policy }) => policy?.id,
  },
  getPublicKey: null,
};

export const encryptionRules: AuditRules<typeof configV1.EncryptionServiceService> = {
  getEncryption: null,
  beginKeyRotation: { action: 'encryption-key.rotate', of: () => ({}) },
  // The steps of what was begun.
  resealSecrets: null,
};
