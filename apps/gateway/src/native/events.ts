import type { Clock } from '@posthorn/runtime';
import type { GatewayClients } from '../clients.ts';
import { found } from './found.ts';
import { labelParameter } from './routing/label-parameter.ts';
import { page, pageParameters, pageRequest } from './routing/paging.ts';
import { textParameter, timeParameter } from './routing/query.ts';
import { readEventSoon } from './read-event-soon.ts';
import { defineRoute, type Route } from './routing/route.ts';
import { deliveryToKeep, deliveryView } from './schemas/delivery.ts';
import {
  eventPageSchema,
  eventView,
  eventWithDataSchema,
  replayAnswerSchema,
  replaySchema,
  type ReplayAnswer,
} from './schemas/event.ts';

const params = { id: { description: 'The id of the event.' } };

/** Events after they were published: looking them up, and delivering them again. Publishing is in `publish.ts`. */
export function eventRoutes(deps: {
  readonly clients: Pick<GatewayClients, 'events'>;
  readonly clock: Clock;
}): readonly Route[] {
  const { clock } = deps;
  const { events } = deps.clients;
  return [
    defineRoute({
      method: 'get',
      path: '/v1/events',
      operationId: 'listEvents',
      summary: 'List events',
      tag: 'Events',
      scope: 'events:read',
      organisation: 'required',
      query: {
        ...pageParameters,
        type: textParameter('An event type, exactly.'),
        label: labelParameter('A label as `name:value`; several must all be there.'),
        subject: textParameter('Whom it is about.'),
        idempotencyKey: textParameter('The key that it was published with.'),
        after: timeParameter('Accepted after this moment.'),
        before: timeParameter('Accepted before this moment.'),
      },
      answers: { 200: { description: 'The events, newest first.', schema: eventPageSchema } },
      async handle({ query, organisationId, rpc }) {
        const list = await events.listEvents(
          {
            organisationId,
            ...pageRequest(query),
            type: query.type,
            labels: Object.fromEntries(query.label ?? []),
            subject: query.subject,
            idempotencyKey: query.idempotencyKey,
            after: query.after,
            before: query.before,
          },
          rpc,
        );
        return { status: 200, body: page(list.events, list.nextCursor, eventView) };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/events/{id}',
      operationId: 'getEvent',
      summary: 'Read an event',
      description: 'An event that was accepted a moment ago is waited for up to 2 seconds.',
      tag: 'Events',
      scope: 'events:read',
      organisation: 'required',
      params,
      answers: { 200: { description: 'The event with its payload.', schema: eventWithDataSchema } },
      errors: ['not_found'],
      async handle({ params: { id }, organisationId, rpc }) {
        const { event } = await readEventSoon(id, clock, () => events.getEvent({ organisationId, id }, rpc));
        const { data } = found(event);
        // The payload goes in as the bytes that came: parsing and printing would change numbers and key order.
        const head = JSON.stringify(eventView(found(event))).slice(0, -1);
        return { status: 200, bytes: Buffer.concat([Buffer.from(`${head},"data":`), data, closingBrace]) };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/events/{id}/payload',
      operationId: 'getEventPayload',
      summary: "Read an event's payload",
      description: 'The very bytes that were published.',
      tag: 'Events',
      scope: 'events:read',
      organisation: 'required',
      params,
      answers: { 200: { description: 'The payload.', content: { 'application/json': { schema: {} } } } },
      errors: ['not_found'],
      async handle({ params: { id }, organisationId, rpc }) {
        const { event } = await readEventSoon(id, clock, () => events.getEvent({ organisationId, id }, rpc));
        return { status: 200, bytes: found(event).data, contentType: 'application/json' };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/events/{id}/replay',
      operationId: 'replayEvent',
      summary: 'Deliver an event again',
      description:
        'Makes a new attempt of each delivery, under its id. A delivery that succeeded stays so, also when the new attempt fails.',
      tag: 'Events',
      scope: 'deliveries:write',
      organisation: 'required',
      params,
      body: {
        schema: replaySchema,
        optional: true,
        examples: { one: { summary: 'At one endpoint only', value: { endpoints: ['orders-eu'] } } },
      },
      idempotency: { redact: toKeep },
      answers: { 202: { description: 'The attempts are made now.', schema: replayAnswerSchema } },
      errors: ['not_found'],
      async handle({ params: { id }, body, organisationId, rpc }) {
        const { deliveries } = await events.replayEvent(
          { organisationId, id, endpoints: [...(body.endpoints ?? [])] },
          rpc,
        );
        return { status: 202, body: { data: deliveries.map(deliveryView) } };
      },
    }),
  ];
}

function toKeep(body: unknown): ReplayAnswer {
  return { data: (body as ReplayAnswer).data.map(deliveryToKeep) };
}

const closingBrace = Buffer.from('}');
