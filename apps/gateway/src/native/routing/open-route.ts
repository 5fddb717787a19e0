/** Routes that anyone may call: probes, metrics, callbacks, public keys, and the reference itself. */
import { Router, type Request } from 'express';
import { DomainError, type ErrorCode } from '@posthorn/models';
import type { Clock } from '@posthorn/runtime';
import { sendAnswer } from '../../send-answer.ts';
import { requestIdOf } from '../../request-id.ts';
import { answerOtherMethods } from './other-methods.ts';
import { problemAnswer } from './problem.ts';
import type { Answer, AnswerDescription, RouteDescription } from './route.ts';
import type { Definition } from './schema.ts';

/** A route without a key. A body, where one is sent, is nobody's business. */
export interface OpenRoute {
  /** In the form of OpenAPI. */
  readonly path: string;
  /** GET alone unless it says otherwise. */
  readonly methods?: readonly ('get' | 'post')[];
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: NonNullable<RouteDescription['params']>;
  readonly query?: Readonly<Record<string, { readonly description: string; readonly schema: Definition }>>;
  readonly answers: Readonly<Record<number, AnswerDescription<unknown>>>;
  /** Codes of the problems that it answers with. */
  readonly errors?: readonly ErrorCode[];
  answer(call: OpenCall): Answer | Promise<Answer>;
}

/** What a route without a key gets of a request. */
export interface OpenCall {
  /** Decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly requestId: string;
}

export function createOpenRouter(routes: readonly OpenRoute[], clock: Clock): Router {
  const router = Router({ caseSensitive: true, strict: true });
  for (const route of routes) {
    const entry = router.route(route.path.replace(/\{(\w+)\}/g, ':$1'));
    const { methods = ['get'] } = route;
    for (const method of methods) {
      entry[method](async (req, res) => {
        const requestId = requestIdOf(res);
        try {
          const call = { params: paramsOf(req), query: queryOf(req), requestId };
          sendAnswer(req, res, await route.answer(call), clock);
        } catch (error) {
          sendAnswer(req, res, problemAnswer(DomainError.from(error), requestId), clock);
        }
      });
    }
    entry.all(answerOtherMethods(methods, clock));
  }
  return router;
}

function paramsOf(req: Request): Record<string, string> {
  return Object.fromEntries(Object.entries(req.params).map(([name, value]) => [name, String(value)]));
}

function queryOf(req: Request): URLSearchParams {
  const start = req.url.indexOf('?');
  return new URLSearchParams(start === -1 ? '' : req.url.slice(start + 1));
}
