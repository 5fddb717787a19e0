/** What each route of the OpenAPI document needs, written down beside the code that asks for it; see access-matrix.e2e.spec.ts. */
import type { Scope } from '@posthorn/models';

/** What a parameter of a path names. */
export type Resource =
  | 'organisation'
  | 'key'
  | 'eventType'
  | 'endpoint'
  | 'policy'
  | 'policyNumber'
  | 'event'
  | 'delivery'
  | 'replay'
  | 'erasure'
  | 'ricloudEndpoint'
  | 'ricloudTask'
  | 'ricloudEvent'
  | 'rapidlyEndpoint'
  | 'rapidlyEvent'
  | 'preoEndpoint'
  | 'preoDelivery';

export interface RouteAccess {
  /** All of them; none is any key. `open`: no key at all. */
  readonly scopes: readonly Scope[] | 'open';
  readonly isForOperators?: boolean;
  /** What the parameters of its path name. */
  readonly of?: Readonly<Record<string, Resource>>;
  /** What it takes, where `{}` would be refused before anything is looked up. */
  readonly body?: object;
  /** Makes what isn't there under the name that the caller gives. */
  readonly isCreatedByName?: boolean;
  /** A GET that does something. */
  readonly isUnsafe?: boolean;
}

const open: RouteAccess = { scopes: 'open' };
const url = 'https://receiver.example/hooks';

function needs(...scopes: readonly Scope[]): RouteAccess {
  return { scopes };
}

function operators(...scopes: readonly Scope[]): RouteAccess {
  return { scopes, isForOperators: true };
}

/** The same scopes, on the resource that `{id}` names. */
function on(id: Resource, ...scopes: readonly Scope[]): RouteAccess {
  return { scopes, of: { id } };
}

const rapidlyRead = ['endpoints:read', 'deliveries:read'] as const;
const rapidlyWrite = ['endpoints:write', 'deliveries:write'] as const;
const preoDelivery = { id: 'preoEndpoint', delivery_id: 'preoDelivery' } as const;

/** By operation id; a route that is served under several paths is here once. */
export const routesInTable: Readonly<Record<string, RouteAccess>> = {
  publishEvent: needs('events:write'),
  publishEvents: needs('events:write'),
  listEvents: needs('events:read'),
  getEvent: on('event', 'events:read'),
  getEventPayload: on('event', 'events:read'),
  replayEvent: on('event', 'deliveries:write'),
  eraseEvent: on('event', 'deliveries:write'),

  listOrganisations: operators('organisations:read'),
  createOrganisation: operators('organisations:write'),
  getOrganisation: operators('organisations:read'),
  updateOrganisation: operators('organisations:write'),
  deleteOrganisation: operators('organisations:write'),
  getEncryption: operators('organisations:read'),
  rotateEncryptionKey: operators('organisations:write'),
  resealSecrets: operators('organisations:write'),

  listKeys: needs('keys:read'),
  createKey: needs('keys:write'),
  getKey: on('key', 'keys:read'),
  updateKey: on('key', 'keys:write'),
  deleteKey: on('key', 'keys:write'),

  listEventTypes: needs('event-types:read'),
  getEventType: { ...needs('event-types:read'), of: { name: 'eventType' } },
  putEventType: { ...needs('event-types:write'), of: { name: 'eventType' }, isCreatedByName: true },
  updateEventType: { ...needs('event-types:write'), of: { name: 'eventType' } },
  deleteEventType: { ...needs('event-types:write'), of: { name: 'eventType' } },

  listEndpoints: needs('endpoints:read'),
  createEndpoint: needs('endpoints:write'),
  getEndpoint: on('endpoint', 'endpoints:read'),
  updateEndpoint: on('endpoint', 'endpoints:write'),
  deleteEndpoint: on('endpoint', 'endpoints:write'),
  enableEndpoint: on('endpoint', 'endpoints:write'),
  disableEndpoint: on('endpoint', 'endpoints:write'),
  pauseEndpoint: on('endpoint', 'endpoints:write'),
  resumeEndpoint: on('endpoint', 'endpoints:write'),
  verifyEndpoint: on('endpoint', 'endpoints:write'),
  listSecrets: on('endpoint', 'endpoints:write'),
  rotateSecret: on('endpoint', 'endpoints:write'),
  testEndpoint: on('endpoint', 'endpoints:write'),
  getEndpointStats: on('endpoint', 'endpoints:read'),
  readFeed: on('endpoint', 'feed:read'),

  listPolicies: needs('endpoints:read'),
  createPolicy: needs('endpoints:write'),
  getPolicy: on('policy', 'endpoints:read'),
  updatePolicy: on('policy', 'endpoints:write'),

  evaluateFilter: needs('endpoints:read'),

  listDeliveries: needs('deliveries:read'),
  retryDeliveries: needs('deliveries:write'),
  getDelivery: on('delivery', 'deliveries:read'),
  listDeliveryAttempts: on('delivery', 'deliveries:read'),
  retryDelivery: on('delivery', 'deliveries:write'),
  cancelDelivery: on('delivery', 'deliveries:write'),
  listAttempts: needs('deliveries:read'),

  listReplays: needs('deliveries:read'),
  createReplay: needs('deliveries:write'),
  getReplay: on('replay', 'deliveries:read'),
  cancelReplay: on('replay', 'deliveries:write'),

  listErasures: needs('deliveries:read'),
  createErasure: { ...needs('deliveries:write'), body: { eventId: 'nobodys' } },
  getErasure: on('erasure', 'deliveries:read'),
  listOrganisationErasures: operators('organisations:read'),

  listAuditRecords: needs('audit:read'),

  confirmVerification: open,
  confirmVerificationByPost: open,
  getPublicKeys: open,
  getLiveness: open,
  getReadiness: open,
  getMetrics: open,
  getOpenApiDocument: open,

  ricloudListConfigs: needs('endpoints:read'),
  ricloudCreateConfig: needs('endpoints:write'),
  ricloudReadConfig: on('ricloudEndpoint', 'endpoints:read'),
  ricloudUpdateConfig: { ...on('ricloudEndpoint', 'endpoints:write'), body: { url } },
  ricloudDeleteConfig: on('ricloudEndpoint', 'endpoints:write'),
  ricloudTestConfig: on('ricloudEndpoint', 'endpoints:write'),
  ricloudTestConfigByGet: { ...on('ricloudEndpoint', 'endpoints:write'), isUnsafe: true },
  ricloudListTasks: needs('endpoints:read'),
  ricloudReadTask: on('ricloudTask', 'endpoints:read'),
  ricloudListEvents: needs('deliveries:read'),
  ricloudReadEvent: on('ricloudEvent', 'deliveries:read'),
  ricloudReadKey: needs(),

  xurrentListPolicies: needs('endpoints:read'),
  xurrentListEnabledPolicies: needs('endpoints:read'),
  xurrentListDisabledPolicies: needs('endpoints:read'),
  xurrentCreatePolicy: needs('endpoints:write'),
  xurrentReadPolicy: on('policyNumber', 'endpoints:read'),
  xurrentUpdatePolicy: on('policyNumber', 'endpoints:write'),
  xurrentUpdatePolicyByPut: on('policyNumber', 'endpoints:write'),

  rapidlyListEndpoints: needs(...rapidlyRead),
  rapidlyCreateEndpoint: needs(...rapidlyWrite),
  rapidlyGetEndpoint: on('rapidlyEndpoint', ...rapidlyRead),
  rapidlyUpdateEndpoint: on('rapidlyEndpoint', ...rapidlyWrite),
  rapidlyDeleteEndpoint: on('rapidlyEndpoint', ...rapidlyWrite),
  rapidlyResetSecret: on('rapidlyEndpoint', ...rapidlyWrite),
  rapidlyListDeliveries: needs(...rapidlyRead),
  rapidlyRedeliverEvent: on('rapidlyEvent', ...rapidlyWrite),

  preoListEndpoints: needs('endpoints:read'),
  preoCreateEndpoint: needs('endpoints:write'),
  preoGetEndpoint: on('preoEndpoint', 'endpoints:read'),
  preoReplaceEndpoint: { ...on('preoEndpoint', 'endpoints:write'), body: { url, edition_id: 'e1' } },
  preoUpdateEndpoint: on('preoEndpoint', 'endpoints:write'),
  preoRotateSecret: on('preoEndpoint', 'endpoints:write'),
  preoListDeliveries: on('preoEndpoint', 'endpoints:read', 'deliveries:read'),
  preoGetDelivery: { ...needs('endpoints:read', 'deliveries:read'), of: preoDelivery },
  preoRetryDelivery: { ...needs('endpoints:read', 'deliveries:write'), of: preoDelivery },
};
