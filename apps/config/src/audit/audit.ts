import {
  auditRecordFromMessage,
  auditRecordToMessage,
  auditResultTable,
  configV1,
  errorCodeFromMessage,
} from '@posthorn/contracts';
import { DomainError, isId } from '@posthorn/models';
import { defineService, requireOrganisation, type ServiceRegistration } from '@posthorn/rpc';
import type { AuditStore } from './audit-store.ts';
import { requireOperator, requireService } from '../authority.ts';
import { idCursor, readPage } from '../page.ts';

/**
 * AuditService. Services write; a tenant reads what was done in its organisation, an operator everything. Who may read at all is a scope,
 * which the edge has checked.
 */
export function createAuditService(
  store: AuditStore,
): ServiceRegistration<typeof configV1.AuditServiceService> {
  return defineService(configV1.AuditServiceService, {
    async beginAction({ record: message }, { principal }) {
      requireService(principal);
      if (message === undefined || !isId(message.id)) {
        const problem = { code: 'required', message: 'A record with an id is wanted.' };
        throw DomainError.invalid([{ field: '/record', ...problem }]);
      }
      // How it ends isn't for its beginning to say.
      await store.begin({ ...auditRecordFromMessage(message), result: 'unknown', errorCode: null });
      return {};
    },

    async endAction({ id, result, errorCode, resourceId }, { principal }) {
      requireService(principal);
      await store.end(id, {
        result: auditResultTable.fromMessage(result, '/result'),
        errorCode: errorCodeFromMessage(errorCode),
        resourceId: resourceId ?? null,
      });
      return {};
    },

    async listAuditRecords(request, { principal }) {
      const { organisationId, result } = request;
      if (organisationId === undefined) requireOperator(principal);
      else requireOrganisation(principal, organisationId);
      const search = {
        organisationId: organisationId ?? null,
        actorId: request.actorId ?? null,
        action: request.action ?? null,
        resourceId: request.resourceId ?? null,
        result:
          result === configV1.AuditResult.AUDIT_RESULT_UNSPECIFIED
            ? null
            : auditResultTable.fromMessage(result, '/result'),
        after: request.after ?? null,
        before: request.before ?? null,
      };
      const { items, nextCursor } = await readPage(request, idCursor, {
        load: (limit, beforeId) => store.list({ ...search, limit, beforeId }),
        positionOf: ({ id }) => id,
      });
      return { records: items.map(auditRecordToMessage), nextCursor };
    },
  });
}
