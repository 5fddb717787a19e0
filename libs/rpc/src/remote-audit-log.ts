import { auditRecordToMessage, auditResultTable, type configV1 } from '@posthorn/contracts';
import type { Principal } from '@posthorn/models';
import type { AuditLog } from './audited-service.ts';
import type { Client } from './calls/client.ts';

const deadlineMs = 2_000;

/** The audit log of the config service, for the actions of another service. */
export function createRemoteAuditLog(
  audit: Client<typeof configV1.AuditServiceService>,
  principal: Principal,
): AuditLog {
  const call = { principal, deadlineMs };
  return {
    async begin(record) {
      await audit.beginAction({ record: auditRecordToMessage(record) }, call);
    },
    async end(id, { result, errorCode, resourceId }) {
      await audit.endAction(
        {
          id,
          result: auditResultTable.toMessage(result),
          errorCode: errorCode ?? undefined,
          resourceId: resourceId ?? undefined,
        },
        call,
      );
    },
  };
}
