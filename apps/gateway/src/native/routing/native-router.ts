/**
 * The native API's routes on an express router: one entry for each path, in the order in which the routes are listed.
 * A path that exists answers other methods with 405 and `Allow`, and OPTIONS with 204; HEAD is GET without the body.
 */
import { Router } from 'express';
import { answerOtherMethods } from './other-methods.ts';
import type { Method, Route } from './route.ts';
import { createRouteHandler, type ServeDeps } from './serve-route.ts';

/** The router; what it has no route for is left to the next handler. Throws when two routes are the same. */
export function createNativeRouter(routes: readonly Route[], deps: ServeDeps): Router {
  const router = Router({ caseSensitive: true, strict: true });
  for (const [path, group] of groupByPath(routes)) {
    const entry = router.route(toExpressPath(path));
    for (const [method, route] of group) entry[method](createRouteHandler(route, deps));
    entry.all(answerOtherMethods([...group.keys()], deps.clock));
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
