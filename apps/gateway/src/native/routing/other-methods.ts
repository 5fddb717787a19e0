import type { RequestHandler } from 'express';
import { DomainError } from '@posthorn/models';
import type { Clock } from '@posthorn/runtime';
import { requestIdOf } from '../../request-id.ts';
import { sendAnswer } from '../../send-answer.ts';
import { problemAnswer } from './problem.ts';
import type { Method } from './route.ts';

/** A path that exists answers OPTIONS with what it takes, and any method that it doesn't take with 405 and `Allow`. */
export function answerOtherMethods(methods: readonly Method[], clock: Clock): RequestHandler {
  const allowed = methods.map((method) => method.toUpperCase());
  const allow = [...allowed, ...(allowed.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  return (req, res) => {
    if (req.method === 'OPTIONS') {
      sendAnswer(req, res, { status: 204, headers: { Allow: allow } }, clock);
      return;
    }
    const error = new DomainError(
      'method_not_allowed',
      `${req.method} isn't possible here; there are ${allow}.`,
    );
    const answer = problemAnswer(error, requestIdOf(res));
    sendAnswer(req, res, { ...answer, headers: { ...answer.headers, Allow: allow } }, clock);
  };
}
