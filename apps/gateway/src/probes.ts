/**
 * What an orchestrator and a monitoring system ask. `/livez` asks for nothing outside the process. `/readyz` says no
 * while the process isn't serving, with the reasons; a dependency that is away isn't one: the gateway answers 503 by itself,
 * and taking every replica out of service would only hide that.
 */
import type { Metrics } from '@posthorn/runtime';
import type { OpenRoute } from './native/routing/open-route.ts';
import { answerSchema } from './native/routing/schema.ts';

interface Liveness {
  readonly status: 'live';
}

interface Readiness {
  readonly status: 'ready' | 'not ready';
  readonly reasons: readonly string[];
}

const livenessSchema = answerSchema<Liveness>('Liveness', { properties: { status: { const: 'live' } } });

const readinessSchema = answerSchema<Readiness>('Readiness', {
  properties: {
    status: { type: 'string', enum: ['ready', 'not ready'] },
    reasons: {
      type: 'array',
      items: { type: 'string' },
      description: 'Why it is not ready; empty when it is.',
    },
  },
});

/** `notReady` gives the reasons for which requests shouldn't be sent here now; none when they should. */
export function probeRoutes(metrics: Metrics, notReady: () => readonly string[]): readonly OpenRoute[] {
  return [
    {
      path: '/livez',
      operationId: 'getLiveness',
      summary: 'Is the process alive?',
      answers: { 200: { description: 'It is.', schema: livenessSchema } },
      answer: () => ({ status: 200, body: { status: 'live' } }),
    },
    {
      path: '/readyz',
      operationId: 'getReadiness',
      summary: 'Should requests be sent here?',
      answers: {
        200: { description: 'Yes.', schema: readinessSchema },
        503: { description: 'Not now, for the reasons given.', schema: readinessSchema },
      },
      answer: () => {
        const reasons = notReady();
        return reasons.length === 0
          ? { status: 200, body: { status: 'ready', reasons } }
          : { status: 503, body: { status: 'not ready', reasons }, headers: { 'Retry-After': '1' } };
      },
    },
    {
      path: '/metrics',
      operationId: 'getMetrics',
      summary: 'Metrics of the process',
      answers: {
        200: {
          description: 'In the text format of Prometheus.',
          content: { 'text/plain': { schema: { type: 'string' } } },
        },
      },
      answer: async () => ({
        status: 200,
        bytes: Buffer.from(await metrics.render(), 'utf8'),
        contentType: metrics.contentType,
      }),
    },
  ];
}
