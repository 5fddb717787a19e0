import {
  errorCodes,
  type AuditActorKind,
  type AuditRecord,
  type AuditResult,
  type ErrorCode,
} from '@posthorn/models';
import * as configV1 from './config-v1.ts';
import { createEnumTable } from './enum-table.ts';
import { required } from './required.ts';

export const auditResultTable = createEnumTable({
  unknown: configV1.AuditResult.AUDIT_RESULT_UNKNOWN,
  ok: configV1.AuditResult.AUDIT_RESULT_OK,
  refused: configV1.AuditResult.AUDIT_RESULT_REFUSED,
  failed: configV1.AuditResult.AUDIT_RESULT_FAILED,
} satisfies Record<AuditResult, configV1.AuditResult>);

const actorKindTable = createEnumTable({
  key: configV1.AuditActorKind.AUDIT_ACTOR_KIND_KEY,
  token: configV1.AuditActorKind.AUDIT_ACTOR_KIND_TOKEN,
  service: configV1.AuditActorKind.AUDIT_ACTOR_KIND_SERVICE,
} satisfies Record<AuditActorKind, configV1.AuditActorKind>);

/** The record as a message. */
export function auditRecordToMessage(record: AuditRecord): configV1.AuditRecord {
  const { actor } = record;
  return {
    id: record.id,
    occurredAt: record.occurredAt,
    organisationId: record.organisationId ?? undefined,
    actor: {
      kind: actorKindTable.toMessage(actor.kind),
      id: actor.id,
      name: actor.name ?? undefined,
      isOperator: actor.isOperator,
    },
    action: record.action,
    resourceId: record.resourceId ?? undefined,
    changedFields: [...record.changedFields],
    result: auditResultTable.toMessage(record.result),
    errorCode: record.errorCode ?? undefined,
    address: record.address ?? undefined,
    userAgent: record.userAgent ?? undefined,
    requestId: record.requestId,
  };
}

/** The record of a message. Throws `invalid_argument` for one without time, actor or result. */
export function auditRecordFromMessage(message: configV1.AuditRecord): AuditRecord {
  const actor = required(message.actor, '/actor');
  return {
    id: message.id,
    occurredAt: required(message.occurredAt, '/occurredAt'),
    organisationId: message.organisationId ?? null,
    actor: {
      kind: actorKindTable.fromMessage(actor.kind, '/actor/kind'),
      id: actor.id,
      name: actor.name ?? null,
      isOperator: actor.isOperator,
    },
    action: message.action,
    resourceId: message.resourceId ?? null,
    changedFields: message.changedFields,
    result: auditResultTable.fromMessage(message.result, '/result'),
    errorCode: errorCodeFromMessage(message.errorCode),
    address: message.address ?? null,
    userAgent: message.userAgent ?? null,
    requestId: message.requestId,
  };
}

/** The error's code; null where there was none, `internal` for one of a newer version. */
export function errorCodeFromMessage(code: string | undefined): ErrorCode | null {
  return code === undefined ? null : (errorCodes.find((known) => known === code) ?? 'internal');
}
