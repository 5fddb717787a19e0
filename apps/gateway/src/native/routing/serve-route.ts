/**
 * One request, start to end: key, scope, parameters, body, organisation, idempotency, handler, answer. Every outcome ends
 * as one answer, one observation in the metrics and, at debug level, one wide log line.
 */
import type { Request, RequestHandler, Response } from 'express';
import { DomainError, holdsScope, type Principal } from '@posthorn/models';
import type { Authenticate, RequestSource } from '@posthorn/rpc';
import type { Clock, Logger } from '@posthorn/runtime';
import { callOptionsOf } from '../../call-options.ts';
import {
  organisationHeader,
  type NamedOrganisation,
  type OrganisationLookup,
} from '../../organisation-lookup.ts';
import { requestIdOf } from '../../request-id.ts';
import { logRequest } from '../../request-log.ts';
import type { ObserveRoute } from '../../request-metrics.ts';
import { sendAnswer } from '../../send-answer.ts';
import { isNoneMatch, versionConflict } from './etag.ts';
import type { CarryOutOnce } from './idempotency.ts';
import { problemAnswer, withInvalidToken, type Problem } from './problem.ts';
import { createRequestReader, oneHeader, type RequestParts } from './read-request.ts';
import type { Answer, Call, Route } from './route.ts';

/** What serving a route takes, beside the route. */
export interface ServeDeps {
  readonly authenticate: Authenticate;
  readonly organisations: OrganisationLookup;
  readonly carryOutOnce: CarryOutOnce;
  readonly observe: ObserveRoute;
  /** Where a request comes from. */
  readonly sourceOf: (req: Request) => RequestSource;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** The express handler of a route. It never calls `next` and never throws. */
export function createRouteHandler(route: Route, deps: ServeDeps): RequestHandler {
  const { clock, logger } = deps;
  const observe = deps.observe(route.path, route.method);
  const perform = createPerform(route, deps);

  async function serve(req: Request, res: Response): Promise<void> {
    const startedAt = clock.monotonic();
    const requestId = requestIdOf(res);
    let answer: Answer;
    let failure: DomainError | null = null;
    try {
      answer = await perform(req, res, requestId);
    } catch (error) {
      failure = DomainError.from(error);
      answer = failureAnswer(failure, req, requestId);
    }
    sendAnswer(req, res, answer, clock);
    const durationMs = clock.monotonic() - startedAt;
    observe(answer.status, durationMs);
    const { operationId: operation } = route;
    logRequest(logger, { requestId, operation, status: answer.status, durationMs, failure });
  }

  return (req, res) => void serve(req, res);
}

function failureAnswer(failure: DomainError, req: Request, requestId: string): Answer<Problem> {
  const answer = problemAnswer(failure, requestId);
  const hasToken = /^bearer/i.test(req.headers.authorization ?? '');
  return failure.code === 'unauthenticated' && hasToken ? withInvalidToken(answer) : answer;
}

type Perform = (req: Request, res: Response, requestId: string) => Promise<Answer>;

function createPerform(route: Route, deps: ServeDeps): Perform {
  const readRequest = createRequestReader(route);
  const { deadlineMs } = route;
  const organisationOf = createOrganisationRule(route, deps.organisations);

  return async (req, res, requestId) => {
    const known = deps.authenticate(req.headers.authorization);
    const principal = known instanceof Promise ? await known : known;
    authorize(principal, route);
    // Our path templates have no wildcards, so that no parameter is a list.
    const params = req.params as Readonly<Record<string, string>>;
    const parts = await readRequest(req, res, params);
    const rpc = callOptionsOf(req, { principal, requestId, deadlineMs, source: deps.sourceOf(req) });

    const organisation = organisationOf(principal, req, parts);
    const organisationId = organisation instanceof Promise ? await organisation : organisation;
    if (parts.precondition.kind === 'never') throw versionConflict();
    const call: Call = {
      principal,
      requestId,
      params,
      query: parts.query,
      body: parts.body,
      bodyBytes: parts.bodyBytes,
      organisationId,
      expectedVersion: parts.precondition.kind === 'version' ? parts.precondition.version : undefined,
      rpc,
      header: (name) => oneHeader(req, name),
      organisationOf: (inBody, bodyField = '/organisation') =>
        requireNamed(
          deps.organisations.find(principal, {
            inHeader: oneHeader(req, organisationHeader),
            inBody,
            bodyField,
          }),
          bodyField,
        ),
    };

    if (parts.idempotencyKey !== undefined) return carryOutOnce(call, parts, parts.idempotencyKey, req);
    const answer = await route.handle(call);
    return route.ifNoneMatch === true ? unlessUnchanged(answer, req) : answer;
  };

  function carryOutOnce(call: Call, parts: RequestParts, key: string, req: Request): Promise<Answer> {
    return deps.carryOutOnce({
      key,
      method: req.method,
      path: req.originalUrl,
      body: parts.bodyBytes,
      organisationId: call.organisationId,
      rpc: call.rpc,
      redact: typeof route.idempotency === 'object' ? route.idempotency.redact : undefined,
      carryOut: () => route.handle(call),
    });
  }
}

function authorize(principal: Principal, route: Route): void {
  if (!holdsScope(principal.scopes, route.scope)) {
    throw new DomainError(
      'permission_denied',
      `This needs the scope ${route.scope}, which the key doesn't have.`,
    );
  }
  if (route.operatorsOnly === true && principal.organisationId !== null) {
    throw new DomainError('permission_denied', 'Only an operator key may do this.');
  }
}

function unlessUnchanged(answer: Answer, req: Request): Answer {
  const etag = answer.headers?.['ETag'];
  if (etag === undefined || !isNoneMatch(req.headers['if-none-match'], etag)) return answer;
  return { status: 304, headers: { ETag: etag } };
}

type OrganisationRule = (
  principal: Principal,
  req: Request,
  parts: RequestParts,
) => string | null | Promise<string | null>;

function createOrganisationRule(route: Route, lookup: OrganisationLookup): OrganisationRule {
  if (route.organisation === 'none') return () => null;
  const isInBody =
    route.body !== undefined &&
    'schema' in route.body &&
    hasProperty(route.body.schema.definition, 'organisation');
  const field = isInBody ? '/organisation' : '?Posthorn-Organisation';
  return (principal, req, parts) => {
    const named: NamedOrganisation = {
      inHeader: oneHeader(req, organisationHeader),
      inBody: isInBody ? organisationIn(parts.body) : undefined,
    };
    const found = lookup.find(principal, named);
    return route.organisation === 'required' ? requireNamed(found, field) : found;
  };
}

function hasProperty(definition: Readonly<Record<string, unknown>>, name: string): boolean {
  const properties = definition['properties'];
  return typeof properties === 'object' && properties !== null && name in properties;
}

function organisationIn(body: unknown): string | undefined {
  const value = (body as { readonly organisation?: unknown } | undefined)?.organisation;
  return typeof value === 'string' ? value : undefined;
}

/** An operator acts for one organisation at a time here, and has to say which. */
function requireNamed(
  found: string | null | Promise<string | null>,
  field: string,
): string | Promise<string> {
  if (found instanceof Promise) return found.then((id) => requireNamed(id, field));
  if (found !== null) return found;
  const message =
    'An operator key names the organisation in the Posthorn-Organisation header' +
    (field.startsWith('/') ? ' or here.' : '.');
  throw DomainError.invalid([{ field, code: 'required', message }]);
}
