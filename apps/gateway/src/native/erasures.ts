import type { Violation } from '@posthorn/models';
import type { GatewayClients } from '../clients.ts';
import { found } from './found.ts';
import { page, pageParameters, pageRequest } from './routing/paging.ts';
import { defineRoute, type Route } from './routing/route.ts';
import {
  erasureInputSchema,
  erasurePageSchema,
  erasureView,
  erasureViewSchema,
  type ErasureInput,
} from './schemas/erasure.ts';

const params = { id: { description: 'The id of the erasure.' } };

/** Erasing by event and by subject, and the record of it. Whoever only publishes may not: it takes `deliveries:write`. */
export function erasureRoutes({ erasures }: Pick<GatewayClients, 'erasures'>): readonly Route[] {
  return [
    defineRoute({
      method: 'post',
      path: '/v1/erasures',
      operationId: 'createErasure',
      summary: 'Erase an event, or a subject',
      description:
        'Removes events with their payload, labels and subject, and what receivers answered; deliveries that still wait end as `cancelled` (`erased`). A job, whose record stays; a subject is kept as a keyed hash only. What is published about the subject later is kept. It cannot be undone or cancelled.',
      tag: 'Erasures',
      scope: 'deliveries:write',
      organisation: 'required',
      body: {
        schema: erasureInputSchema,
        check: checkErasure,
        examples: {
          subject: { summary: 'Everything about a customer', value: { subject: 'customer-42' } },
          event: {
            summary: 'One event',
            value: { eventId: '019aa0c4-21f3-4c5d-9d0e-5b1f7a3c2e10' },
          },
        },
      },
      answers: { 202: { description: 'The job, which begins at once.', schema: erasureViewSchema } },
      async handle({ body: { eventId, subject }, organisationId, rpc }) {
        const { erasure } = await erasures.createErasure(
          { organisationId, eventId, subject, wholeOrganisation: false },
          rpc,
        );
        return { status: 202, body: erasureView(found(erasure)) };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/erasures',
      operationId: 'listErasures',
      summary: 'List erasures',
      tag: 'Erasures',
      scope: 'deliveries:read',
      organisation: 'required',
      query: pageParameters,
      answers: { 200: { description: 'The erasures, newest first.', schema: erasurePageSchema } },
      async handle({ query, organisationId, rpc }) {
        const list = await erasures.listErasures({ organisationId, ...pageRequest(query) }, rpc);
        return { status: 200, body: page(list.erasures, list.nextCursor, erasureView) };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/erasures/{id}',
      operationId: 'getErasure',
      summary: 'Read an erasure',
      tag: 'Erasures',
      scope: 'deliveries:read',
      organisation: 'required',
      params,
      answers: { 200: { description: 'The erasure.', schema: erasureViewSchema } },
      errors: ['not_found'],
      async handle({ params: { id }, organisationId, rpc }) {
        const { erasure } = await erasures.getErasure({ organisationId, id }, rpc);
        return { status: 200, body: erasureView(found(erasure)) };
      },
    }),
    defineRoute({
      method: 'delete',
      path: '/v1/events/{id}/payload',
      operationId: 'eraseEvent',
      summary: 'Erase an event',
      description:
        'Removes the event with its payload, labels and subject, and what receivers answered, before it answers; deliveries that still wait end as `cancelled` (`erased`). It is on record among the erasures.',
      tag: 'Events',
      scope: 'deliveries:write',
      organisation: 'required',
      params: { id: { description: 'The id of the event.' } },
      answers: { 204: { description: 'It is erased.' } },
      errors: ['not_found'],
      async handle({ params: { id }, organisationId, rpc }) {
        await erasures.erasePayload({ organisationId, id }, rpc);
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/organisations/{id}/erasures',
      operationId: 'listOrganisationErasures',
      summary: 'List erasures of an organisation',
      description: 'Also of one that was deleted: by its id, which its slug can no longer stand for.',
      tag: 'Erasures',
      scope: 'organisations:read',
      operatorsOnly: true,
      organisation: 'none',
      params: { id: { description: 'The id of the organisation.' } },
      query: pageParameters,
      answers: { 200: { description: 'The erasures, newest first.', schema: erasurePageSchema } },
      async handle({ params: { id }, query, rpc }) {
        const list = await erasures.listErasures({ organisationId: id, ...pageRequest(query) }, rpc);
        return { status: 200, body: page(list.erasures, list.nextCursor, erasureView) };
      },
    }),
  ];
}

function checkErasure({ eventId, subject }: Partial<ErasureInput>): readonly Violation[] {
  if ((eventId === undefined) !== (subject === undefined)) return [];
  const message =
    eventId === undefined
      ? 'This names neither an eventId nor a subject: one of them is needed.'
      : 'This names an eventId and a subject: only one of them can be erased at a time.';
  return [{ field: '', code: eventId === undefined ? 'required' : 'invalid', message }];
}
