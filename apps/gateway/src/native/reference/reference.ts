import type { OpenRoute } from '../routing/open-route.ts';
import { openApiDocument, type OpenApiSection } from './openapi.ts';
import type { RouteDescription } from '../routing/route.ts';

/** The route that serves the OpenAPI document of all these routes, its own included. */
export function referenceRoute(options: {
  readonly routes: readonly RouteDescription[];
  readonly openRoutes: readonly OpenRoute[];
  readonly sections: readonly OpenApiSection[];
  readonly version: string;
  readonly serverUrl: () => string;
}): OpenRoute {
  let bytes: Buffer | undefined;
  const route: OpenRoute = {
    path: '/openapi.json',
    operationId: 'getOpenApiDocument',
    summary: 'This reference as an OpenAPI 3.1 document',
    answers: {
      200: { description: 'The document.', content: { 'application/json': { schema: { type: 'object' } } } },
    },
    answer: () => {
      bytes ??= Buffer.from(
        JSON.stringify(
          openApiDocument({
            routes: options.routes,
            openRoutes: [...options.openRoutes, route],
            sections: options.sections,
            version: options.version,
            serverUrl: options.serverUrl(),
          }),
        ),
      );
      return { status: 200, bytes, headers: { 'Cache-Control': 'no-cache' } };
    },
  };
  return route;
}
