import { auditResultTable, configV1 } from '@posthorn/contracts';
import { auditResults } from '@posthorn/models';
import type { GatewayClients } from '../clients.ts';
import { page, pageParameters, pageRequest } from './routing/paging.ts';
import { choiceParameter, textParameter, timeParameter } from './routing/query.ts';
import { defineRoute, type Route } from './routing/route.ts';
import { auditRecordPageSchema, auditRecordView } from './schemas/audit-record.ts';

const anyResult = configV1.AuditResult.AUDIT_RESULT_UNSPECIFIED;

/** The audit log. It is written by the services; here it is read. */
export function auditRoutes({ audit }: Pick<GatewayClients, 'audit'>): readonly Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/v1/audit',
      operationId: 'listAuditRecords',
      summary: 'List who did what',
      description:
        'Every change that was asked for, carried out or not, and every look at signing secrets; publishing is not among them. An operator that names no organisation gets those of all, and those of none.',
      tag: 'Audit log',
      scope: 'audit:read',
      organisation: 'optional',
      query: {
        ...pageParameters,
        actor: textParameter('The id of a key, the subject of a token, or the name of a service.'),
        action: textParameter('An action, exactly: `endpoint.update`.'),
        resource: textParameter('The id of a resource.', 512),
        result: choiceParameter('How it ended.', auditResults),
        after: timeParameter('After this moment.'),
        before: timeParameter('Before this moment.'),
      },
      answers: { 200: { description: 'The records, newest first.', schema: auditRecordPageSchema } },
      async handle({ query, organisationId, rpc }) {
        const list = await audit.listAuditRecords(
          {
            organisationId: organisationId ?? undefined,
            ...pageRequest(query),
            actorId: query.actor,
            action: query.action,
            resourceId: query.resource,
            result: query.result === undefined ? anyResult : auditResultTable.toMessage(query.result),
            after: query.after,
            before: query.before,
          },
          rpc,
        );
        return { status: 200, body: page(list.records, list.nextCursor, auditRecordView) };
      },
    }),
  ];
}
