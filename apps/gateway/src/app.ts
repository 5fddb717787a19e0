/**
 * The express application: names the request, finds the owner of its path, and hands it over. The native API owns
 * everything that no one else does; what it has no route for is a problem like any other error.
 */
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { DomainError } from '@posthorn/models';
import type { Clock, Logger, Random } from '@posthorn/runtime';
import { problemAnswer } from './native/routing/problem.ts';
import { nativeClaims } from './dialects/prefixes.ts';
import { createOwnerLookup, type Owner } from './owner.ts';
import { createRequestIds, requestIdOf } from './request-id.ts';
import { sendAnswer } from './send-answer.ts';

export interface AppDeps {
  /** Everything under `/` that isn't another owner's: the native API, the reference, the probes. */
  readonly native: RequestHandler;
  /** Other APIs, under prefixes of their own. */
  readonly others: readonly Owner[];
  readonly random: Random;
  readonly logger: Logger;
  readonly clock: Clock;
}

export function createApp(deps: AppDeps): Express {
  const { clock, logger } = deps;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);

  const nameRequest = createRequestIds(deps.random);
  const native: Owner = { ...nativeClaims, handle: deps.native };
  const ownerOf = createOwnerLookup([native, ...deps.others]);

  app.use((req, res, next) => {
    nameRequest(req, res);
    return ownerOf(req.path).handle(req, res, next);
  });

  app.use((req, res) => {
    const error = isDecodable(req.path)
      ? new DomainError('not_found', `There is nothing at ${req.method} ${req.path.slice(0, 200)}.`)
      : undecodable();
    sendAnswer(req, res, problemAnswer(error, requestIdOf(res)), clock);
  });

  // Express needs all four parameters to know that this one is for errors.
  const onError: ErrorRequestHandler = (error: unknown, req, res, _next) => {
    const failure = isUndecodablePath(error) ? undecodable() : DomainError.from(error);
    if (failure.code === 'internal') {
      logger.error({ err: error, requestId: requestIdOf(res) }, 'request failed');
    }
    sendAnswer(req, res, problemAnswer(failure, requestIdOf(res)), clock);
  };
  app.use(onError);
  return app;
}

/** What the router throws when a parameter of the path isn't percent-encoded UTF-8. */
function isUndecodablePath(error: unknown): boolean {
  return error instanceof URIError || (error instanceof Error && 'status' in error && error.status === 400);
}

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

function undecodable(): DomainError {
  return new DomainError('invalid_argument', 'The path is not percent-encoded UTF-8.');
}
