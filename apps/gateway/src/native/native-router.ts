/**
 * The native API's routes on an express router: one entry for each path, in the order in which the routes are listed.
 * A path that exists answers other methods with 405 and `Allow`, and OPTIONS with 204; HEAD is GET without the body.
 */
import { Router, type RequestHandler } from 'express';
import { DomainError } from '@posthorn/models';
import { requestIdOf } from '../request-id.ts';
import { sendAnswer } from '../send-answer.ts';
import { problemAnswer } from './problem.ts';
import type { Method, Route } from './route.ts';
import { createRouteHandler, type ServeDeps } from './serve-route.ts';

/** The router; what it has no route for is left to the next handler. Throws when two routes are the same. */
export function createNativeRouter(routes: readonly Route[], deps: ServeDeps): Router {
  const router = Router({ caseSensitive: true, strict: true });
  for (const [path, group] of groupByPath(routes)) {
    const entry = router.route(toExpressPath(path));
    for (const [method, route] of group) entry[method](createRouteHandler(route, deps));
    entry.all(otherMethods([...group.keys()], deps));
  }
  return router;
}

function groupByPath(routes: readonly Route[]): ReadonlyMap<string, ReadonlyMap<Method, Route>> {
  const groups = new Map<string, Map<Method, Route>>();
  for (const route of literalPathsFirst(routes)) {
    const group = groups.get(route.path) ?? new Map<Method, Route>();
    if (group.has(route.method)) throw new Error(`There are two routes ${route.method} ${route.path}.`);
    groups.set(route.path, group.set(route.method, route));
  }
  return groups;
}

/** `/v1/events/batch` is tried before `/v1/events/{id}`, whatever the order they are listed in. */
function literalPathsFirst(routes: readonly Route[]): readonly Route[] {
  return [
    ...routes.filter(({ path }) => !path.includes('{')),
    ...routes.filter(({ path }) => path.includes('{')),
  ];
}

function toExpressPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1');
}

function otherMethods(methods: readonly Method[], { clock }: ServeDeps): RequestHandler {
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
