import { checkFilter, compileFilter, DomainError, type FilterVerdict } from '@posthorn/models';
import { defineRoute, type Route } from './routing/route.ts';
import { answerSchema, requestSchema } from './routing/schema.ts';

interface Evaluation {
  readonly filter: object;
  readonly event: { readonly data: unknown };
}

const evaluationSchema = requestSchema<Evaluation>('FilterEvaluation', {
  properties: {
    filter: { type: 'object', description: "As in an endpoint's `filter`." },
    event: {
      type: 'object',
      properties: { data: { description: 'The payload that the filter is asked about.' } },
      required: ['data'],
      additionalProperties: true,
      description: 'An event as it is published or read; only its `data` counts.',
    },
  },
  required: ['filter', 'event'],
});

const verdictSchema = answerSchema<FilterVerdict>('FilterVerdict', {
  properties: {
    matches: { type: 'boolean' },
    because: { type: 'string', description: 'The part of the filter that decided it, for people.' },
  },
});

/** Trying a filter out on a sample, before an endpoint gets it. */
export function filterRoutes(): readonly Route[] {
  return [
    defineRoute({
      method: 'post',
      path: '/v1/filters/evaluate',
      operationId: 'evaluateFilter',
      summary: 'Try a filter on an event',
      description:
        'A filter is an object of conditions over paths, all of which must hold: `{"order.total": {"$gte": 100}}`. Operators are `$eq $ne $gt $gte $lt $lte $in $nin $exists $startsWith $endsWith $contains $not`, and `$and $or $not` over whole filters. Nothing is stored.',
      tag: 'Filters',
      scope: 'endpoints:read',
      organisation: 'none',
      body: {
        schema: evaluationSchema,
        check: ({ filter }) => (filter === undefined ? [] : checkFilter(filter, '/filter')),
        examples: {
          large: {
            summary: 'Large orders',
            value: {
              filter: { 'order.total': { $gte: 100 } },
              event: { type: 'order.paid', data: { order: { total: 120 } } },
            },
          },
        },
      },
      answers: {
        200: {
          description: 'Whether it matches, and why.',
          schema: verdictSchema,
          examples: {
            large: {
              summary: 'It matches',
              value: { matches: true, because: '"order.total" matches {"$gte":100}: it is 120.' },
            },
          },
        },
      },
      handle({ body: { filter, event } }) {
        const compiled = compileFilter(filter, '/filter');
        if (!compiled.ok) return Promise.reject(DomainError.invalid(compiled.violations));
        return Promise.resolve({ status: 200, body: compiled.filter.explain(event.data) });
      },
    }),
  ];
}
