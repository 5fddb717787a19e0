import { auditRecordFromMessage, type configV1 } from '@posthorn/contracts';
import {
  auditActorKinds,
  auditResults,
  type AuditActorKind,
  type AuditResult,
  type ErrorCode,
} from '@posthorn/models';
import { id, described, time } from './scalars.ts';
import { answerSchema, pageSchema } from '../routing/schema.ts';

export interface AuditActorView {
  readonly kind: AuditActorKind;
  readonly id: string;
  readonly name: string | null;
  readonly operator: boolean;
}

/** One action as the API shows it. */
export interface AuditRecordView {
  readonly id: string;
  readonly occurredAt: Date;
  readonly organisation: string | null;
  readonly actor: AuditActorView;
  readonly action: string;
  readonly resource: string | null;
  readonly changedFields: readonly string[];
  readonly result: AuditResult;
  readonly error: ErrorCode | null;
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly requestId: string;
}

const auditActorSchema = answerSchema<AuditActorView>('AuditActor', {
  description: 'Who did it, as it was then.',
  properties: {
    kind: {
      type: 'string',
      enum: auditActorKinds,
      description: '`key`: an API key; `token`: a token of an OIDC issuer; `service`: the platform itself.',
    },
    id: { type: 'string', description: "The key's id, the token's subject, or the service's name." },
    name: { type: ['string', 'null'], description: 'What the key was called.' },
    operator: { type: 'boolean', description: 'It belongs to no organisation.' },
  },
});

const auditRecordSchema = answerSchema<AuditRecordView>('AuditRecord', {
  description: 'Who did what to which resource. It has the names of fields, never what was in them.',
  properties: {
    id,
    occurredAt: time,
    organisation: {
      type: ['string', 'null'],
      description: 'The id of the organisation; null for what belongs to none.',
    },
    actor: auditActorSchema,
    action: {
      type: 'string',
      description: 'The kind of resource, and what was done to it.',
      examples: ['endpoint.create', 'key.delete', 'delivery.retry'],
    },
    resource: {
      type: ['string', 'null'],
      description: 'Its id, or the name that the caller used where it was never found.',
    },
    changedFields: {
      type: 'array',
      items: { type: 'string' },
      description: 'The fields that an update named.',
    },
    result: {
      type: 'string',
      enum: auditResults,
      description:
        '`refused`: the caller may not do this; `failed`: another error; `unknown`: it began, and a process was lost before it could say how it ended.',
    },
    error: { type: ['string', 'null'], description: 'The code of the error that it was answered with.' },
    address: { type: ['string', 'null'], description: "The client's address." },
    userAgent: { type: ['string', 'null'], description: 'What the client said that it is.' },
    requestId: described({ type: 'string' }, 'The `X-Request-Id` of the request.'),
  },
});

export const auditRecordPageSchema = pageSchema(auditRecordSchema);

export function auditRecordView(message: configV1.AuditRecord): AuditRecordView {
  const { organisationId, actor, resourceId, errorCode, ...rest } = auditRecordFromMessage(message);
  const { isOperator, ...who } = actor;
  return {
    ...rest,
    organisation: organisationId,
    actor: { ...who, operator: isOperator },
    resource: resourceId,
    error: errorCode,
  };
}
