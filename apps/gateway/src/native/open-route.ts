/** Routes that anyone may call: probes, metrics, and the reference itself. */
import { Router } from 'express';
import { DomainError } from '@posthorn/models';
import type { Clock } from '@posthorn/runtime';
import { sendAnswer } from '../send-answer.ts';
import { requestIdOf } from '../request-id.ts';
import { answerOtherMethods } from './other-methods.ts';
import { problemAnswer } from './problem.ts';
import type { Answer, AnswerDescription } from './route.ts';

/** A GET without a key and without parameters. */
export interface OpenRoute {
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly answers: Readonly<Record<number, AnswerDescription<unknown>>>;
  answer(): Answer | Promise<Answer>;
}

export function createOpenRouter(routes: readonly OpenRoute[], clock: Clock): Router {
  const router = Router({ caseSensitive: true, strict: true });
  for (const route of routes) {
    const entry = router.route(route.path);
    entry.get(async (req, res) => {
      try {
        sendAnswer(req, res, await route.answer(), clock);
      } catch (error) {
        sendAnswer(req, res, problemAnswer(DomainError.from(error), requestIdOf(res)), clock);
      }
    });
    entry.all(answerOtherMethods(['get'], clock));
  }
  return router;
}
