/** What the dispatcher puts on record: whatever somebody has sent, held back or taken away. Reading is no action. */
import type { dispatchV1 } from '@posthorn/contracts';
import type { AuditRules } from '@posthorn/rpc';

interface OfOne {
  readonly organisationId: string;
  readonly id: string;
}
const ofOne = ({ organisationId, id }: OfOne) => ({ organisationId, resourceId: id });

interface OfEndpoint {
  readonly organisationId: string;
  readonly endpointId: string;
}
const ofEndpoint = ({ organisationId, endpointId }: OfEndpoint) => ({
  organisationId,
  resourceId: endpointId,
});

export const eventRules: AuditRules<typeof dispatchV1.EventServiceService> = {
  getEvent: null,
  listEvents: null,
  replayEvent: { action: 'event.replay', of: ofOne },
};

export const deliveryRules: AuditRules<typeof dispatchV1.DeliveryServiceService> = {
  getDelivery: null,
  listDeliveries: null,
  listAttempts: null,
  searchDeliveries: null,
  searchAttempts: null,
  retryDelivery: { action: 'delivery.retry', of: ofOne },
  cancelDelivery: { action: 'delivery.cancel', of: ofOne },
};

export const activityRules: AuditRules<typeof dispatchV1.EndpointActivityServiceService> = {
  sendTest: { action: 'endpoint.test', of: ofEndpoint },
  getStats: null,
  getHealth: null,
  readFeed: null,
};

export const taskRules: AuditRules<typeof dispatchV1.TaskServiceService> = {
  runTask: { action: 'endpoint.test', of: ofEndpoint },
  getTask: null,
  listTasks: null,
};

export const replayRules: AuditRules<typeof dispatchV1.ReplayServiceService> = {
  createReplay: {
    action: 'replay.create',
    of: ({ organisationId }) => ({ organisationId }),
    idIn: ({ replay }) => replay?.id,
  },
  getReplay: null,
  listReplays: null,
  cancelReplay: { action: 'replay.cancel', of: ofOne },
};

export const erasureRules: AuditRules<typeof dispatchV1.ErasureServiceService> = {
  createErasure: {
    action: 'erasure.create',
    of: ({ organisationId }) => ({ organisationId }),
    idIn: ({ erasure }) => erasure?.id,
  },
  getErasure: null,
  listErasures: null,
  erasePayload: { action: 'event.erase', of: ofOne },
};
