/**
 * One request to a dialect, start to end: route, credentials, scopes, limit, organisation, body, handler, answer. Every outcome ends as
 * one answer in the dialect's own shape, one observation in the metrics and, at debug level, one wide log line.
 */
import type { Request, RequestHandler, Response } from 'express';
import { DomainError, holdsScope, type Principal } from '@posthorn/models';
import type { Authenticate, RequestSource } from '@posthorn/rpc';
import type { Clock, Logger } from '@posthorn/runtime';
import { callOptionsOf } from '../call-options.ts';
import { maxManagementBytes, parseForgivingJson } from '../native/routing/json-body.ts';
import { oneHeader } from '../native/routing/read-request.ts';
import type { Answer } from '../native/routing/route.ts';
import type { OrganisationLookup } from '../organisation-lookup.ts';
import { readBody } from '../read-body.ts';
import { requestIdOf } from '../request-id.ts';
import { logRequest } from '../request-log.ts';
import type { ObserveRequest, ObserveRoute } from '../request-metrics.ts';
import { sendAnswer } from '../send-answer.ts';
import { bearerOf } from './credentials.ts';
import { Refusal, type Dialect, type DialectCall, type DialectRoute } from './dialect.ts';
import { parseQuery } from './query.ts';
import { createRouteTable } from './route-table.ts';

/** What serving a dialect takes, beside the dialect. */
export interface DialectServeDeps {
  readonly authenticate: Authenticate;
  readonly organisations: OrganisationLookup;
  readonly observe: ObserveRoute;
  /** Where a request comes from. */
  readonly sourceOf: (req: Request) => RequestSource;
  /** What absolute links begin with. */
  readonly publicUrl: () => string;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** The express handler of everything that the dialect owns. It never calls `next` and never throws. */
export function createDialectHandler(dialect: Dialect, deps: DialectServeDeps): RequestHandler {
  const { clock, logger } = deps;
  const routeAt = createRouteTable(dialect);
  const observers = new Map<DialectRoute | null, ObserveRequest>();
  for (const route of dialect.routes)
    observers.set(route, deps.observe(`${dialect.basePaths[0] ?? ''}${route.path}`, route.method));
  // Whatever is sent where nothing is: one label, not one for each path that somebody thinks of.
  observers.set(null, deps.observe(`(${dialect.name}, no such route)`, '*'));

  async function serve(req: Request, res: Response): Promise<void> {
    const startedAt = clock.monotonic();
    const requestId = requestIdOf(res);
    const found = routeAt(req.method, req.path);
    let principal: Principal | null = null;
    let failure: DomainError | null = null;
    let answer: Answer;
    try {
      if (found.route === null) throw nothingThere(found.allow);
      principal = await deps.authenticate(bearerOf(req.headers.authorization, dialect.schemes));
      answer = await carryOut(found.route, found.params, principal, req, res, requestId);
    } catch (error) {
      if (error instanceof Refusal) answer = error.answer;
      else {
        failure = DomainError.from(error);
        answer = dialect.renderFailure({
          error: failure,
          method: req.method,
          route: found.route,
          allow: found.route === null ? found.allow : [],
          hasCredentials: Boolean(req.headers.authorization),
        });
      }
    }
    const limits = dialect.limit?.headers(principal);
    sendAnswer(req, res, limits === undefined ? answer : withHeaders(answer, limits), clock);
    const durationMs = clock.monotonic() - startedAt;
    observers.get(found.route)?.(answer.status, durationMs);
    const operation = found.route?.operationId ?? dialect.name;
    logRequest(logger, { requestId, operation, status: answer.status, durationMs, failure });
  }

  async function carryOut(
    route: DialectRoute,
    params: Readonly<Record<string, string>>,
    principal: Principal,
    req: Request,
    res: Response,
    requestId: string,
  ): Promise<Answer> {
    for (const scope of route.scopes) {
      if (!holdsScope(principal.scopes, scope))
        throw new DomainError('permission_denied', `The key lacks the scope ${scope}.`);
    }
    dialect.limit?.admit(principal);
    const organisationId = await organisationNamedIn(req, principal);
    const body = route.body === undefined ? undefined : await readJson(req, res);
    const queryStart = req.url.indexOf('?');
    const call: DialectCall = {
      principal,
      requestId,
      params,
      query: parseQuery(queryStart === -1 ? '' : req.url.slice(queryStart + 1)),
      body,
      organisationId,
      rpc: callOptionsOf(req, {
        principal,
        requestId,
        deadlineMs: route.deadlineMs,
        source: deps.sourceOf(req),
      }),
      path: req.path,
      publicUrl: deps.publicUrl(),
      header: (name) => oneHeader(req, name),
      organisationOf: async (named) =>
        requireFound(await deps.organisations.find(principal, { inBody: named })),
    };
    return route.handle(call);
  }

  async function organisationNamedIn(req: Request, principal: Principal): Promise<string | null> {
    const { headers, unknown } = dialect.organisation;
    const named = headers.map((name) => oneHeader(req, name)).filter((name) => name !== undefined);
    try {
      const find = async (inHeader?: string): Promise<string | null> =>
        deps.organisations.find(principal, { inHeader });
      const ids = await Promise.all(named.length === 0 ? [find()] : named.map(find));
      if (new Set(ids).size > 1) throw new DomainError('not_found', 'The headers name two organisations.');
      return ids[0] ?? null;
    } catch (error) {
      const failure = DomainError.from(error);
      throw failure.code === 'not_found' ? new DomainError(unknown, failure.message) : failure;
    }
  }

  return (req, res) => void serve(req, res);
}

async function readJson(req: Request, res: Response): Promise<unknown> {
  const bytes = await readBody(req, res, maxManagementBytes);
  return bytes.length === 0 ? undefined : parseForgivingJson(bytes);
}

function nothingThere(allow: readonly string[]): DomainError {
  return allow.length === 0
    ? new DomainError('not_found', 'There is nothing here.')
    : new DomainError('method_not_allowed', `Only ${allow.join(', ')} is possible here.`);
}

function requireFound(organisationId: string | null): string {
  if (organisationId === null) throw new DomainError('not_found', 'There is no such organisation.');
  return organisationId;
}

function withHeaders(answer: Answer, headers: Readonly<Record<string, string>>): Answer {
  return { ...answer, headers: { ...headers, ...answer.headers } };
}
