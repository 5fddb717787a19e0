import { configV1, enforcementTable, fieldMaskToMessage } from '@posthorn/contracts';
import { checkEventType, checkOwnEventTypeName, type Violation } from '@posthorn/models';
import type { GatewayClients } from '../clients.ts';
import { found } from './found.ts';
import { page, pageParameters, pageRequest } from './routing/paging.ts';
import { defineRoute, type Route } from './routing/route.ts';
import {
  eventTypeChangesSchema,
  eventTypeInputSchema,
  eventTypePageSchema,
  eventTypeSchema,
  eventTypeView,
  type EventTypeInput,
} from './schemas/event-type.ts';

const params = { name: { description: 'The name of the event type.', example: 'order.paid' } };

/** The catalogue of event types. */
export function eventTypeRoutes({ eventTypes }: Pick<GatewayClients, 'eventTypes'>): readonly Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/v1/event-types',
      operationId: 'listEventTypes',
      summary: 'List event types',
      tag: 'Event types',
      scope: 'event-types:read',
      organisation: 'required',
      query: pageParameters,
      answers: { 200: { description: 'The event types, newest first.', schema: eventTypePageSchema } },
      async handle({ query, organisationId, rpc }) {
        const list = await eventTypes.listEventTypes({ organisationId, ...pageRequest(query) }, rpc);
        return { status: 200, body: page(list.eventTypes, list.nextCursor, eventTypeView) };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/event-types/{name}',
      operationId: 'getEventType',
      summary: 'Read an event type',
      tag: 'Event types',
      scope: 'event-types:read',
      organisation: 'required',
      params,
      answers: { 200: { description: 'The event type.', schema: eventTypeSchema } },
      async handle({ params: { name }, organisationId, rpc }) {
        const { eventType } = await eventTypes.getEventType({ organisationId, name }, rpc);
        return { status: 200, body: eventTypeView(found(eventType)) };
      },
    }),
    defineRoute({
      method: 'put',
      path: '/v1/event-types/{name}',
      operationId: 'putEventType',
      summary: 'Create an event type, or replace it whole',
      description: 'What is left out gets its default, also when the type exists.',
      tag: 'Event types',
      scope: 'event-types:write',
      organisation: 'required',
      params,
      body: {
        schema: eventTypeInputSchema,
        optional: true,
        check: checkPut,
        examples: {
          checked: {
            summary: 'With a schema',
            value: {
              description: 'An order was paid.',
              schema: { type: 'object', required: ['amount'], properties: { amount: { type: 'number' } } },
            },
          },
        },
      },
      answers: {
        200: { description: 'It is replaced.', schema: eventTypeSchema },
        201: { description: 'It is created.', schema: eventTypeSchema },
      },
      errors: ['failed_precondition'],
      async handle({ params: { name }, body, organisationId, rpc }) {
        const put = await eventTypes.putEventType({ eventType: toMessage(organisationId, name, body) }, rpc);
        return { status: put.created ? 201 : 200, body: eventTypeView(found(put.eventType)) };
      },
    }),
    defineRoute({
      method: 'patch',
      path: '/v1/event-types/{name}',
      operationId: 'updateEventType',
      summary: 'Change an event type',
      tag: 'Event types',
      scope: 'event-types:write',
      organisation: 'required',
      params,
      body: {
        schema: eventTypeChangesSchema,
        check,
        examples: { retire: { summary: 'Refuse new events of this type', value: { retired: true } } },
      },
      answers: { 200: { description: 'It is changed.', schema: eventTypeSchema } },
      async handle({ params: { name }, body, organisationId, rpc }) {
        const fields = Object.keys(body).map((field) => (field === 'schema' ? 'schemaJson' : field));
        const { eventType } = await eventTypes.updateEventType(
          { eventType: toMessage(organisationId, name, body), updateMask: fieldMaskToMessage(fields) },
          rpc,
        );
        return { status: 200, body: eventTypeView(found(eventType)) };
      },
    }),
    defineRoute({
      method: 'delete',
      path: '/v1/event-types/{name}',
      operationId: 'deleteEventType',
      summary: 'Delete an event type',
      description:
        'Events that were published stay. To refuse new ones while the entry stays, retire it instead.',
      tag: 'Event types',
      scope: 'event-types:write',
      organisation: 'required',
      params,
      answers: { 204: { description: 'It is gone.' } },
      async handle({ params: { name }, organisationId, rpc }) {
        await eventTypes.deleteEventType({ organisationId, name }, rpc);
        return { status: 204 };
      },
    }),
  ];
}

function check({ schema, description }: Partial<EventTypeInput>): readonly Violation[] {
  return checkEventType({
    ...(description !== undefined && { description }),
    ...(schema !== undefined && { schemaJson: schemaText(schema) }),
  });
}

/** The name comes in the path, where violations have no pointer of their own. */
function checkPut(
  body: Partial<EventTypeInput>,
  { name = '' }: Readonly<Record<string, string>>,
): readonly Violation[] {
  const message = 'This is another name than the one in the path; an event type is not renamed.';
  const isRenamed = body.name !== undefined && body.name !== name;
  return [
    ...checkOwnEventTypeName(name, '/name'),
    ...(isRenamed ? [{ field: '/name', code: 'conflict', message }] : []),
    ...check(body),
  ];
}

function schemaText(schema: object | null): string | null {
  return schema === null ? null : JSON.stringify(schema);
}

function toMessage(organisationId: string, name: string, input: EventTypeInput): configV1.EventType {
  return {
    organisationId,
    name,
    description: input.description ?? '',
    schemaJson: schemaText(input.schema ?? null) ?? undefined,
    enforcement:
      input.enforcement === undefined
        ? configV1.Enforcement.ENFORCEMENT_UNSPECIFIED
        : enforcementTable.toMessage(input.enforcement),
    retired: input.retired ?? false,
    createdAt: undefined,
    updatedAt: undefined,
  };
}
