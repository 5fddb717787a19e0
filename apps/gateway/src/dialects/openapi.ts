/** A dialect as a section of the OpenAPI document: its routes below each of its base paths, its credentials, its errors. */
import type { OpenApiSection } from '../native/reference/openapi.ts';
import type { Dialect, DialectRouteDescription, ParameterDescription } from './dialect.ts';

/** The section of a dialect. */
export function dialectSection({ name, basePaths, routes: all, reference }: Dialect): OpenApiSection {
  const routes = all.filter(({ onlyFails }) => onlyFails !== true);
  const security = Object.keys(reference.security).map((scheme) => ({ [scheme]: [] }));
  return {
    tag: reference.tag,
    description: reference.description,
    securitySchemes: reference.security,
    operations: basePaths.flatMap((base, at) =>
      routes.map((route) => ({
        method: route.method,
        path: base + route.path,
        operationId: at === 0 ? route.operationId : `${route.operationId}_${idPart(base) || name}`,
        summary: route.summary,
        description: [route.description, scopesText(route)].filter((text) => text !== undefined).join('\n\n'),
        security,
        parameters: [
          ...parameters('header', reference.headers),
          ...parameters('path', route.params),
          ...parameters('query', route.query),
        ],
        body: route.body,
        answers: { ...reference.failures, ...route.answers },
      })),
    ),
  };
}

function parameters(
  place: 'header' | 'path' | 'query',
  described: Readonly<Record<string, ParameterDescription>> = {},
): OpenApiSection['operations'][number]['parameters'] {
  return Object.entries(described).map(([name, { description, schema }]) => ({
    name,
    in: place,
    description,
    schema,
  }));
}

function scopesText({ scopes }: DialectRouteDescription): string | undefined {
  if (scopes.length === 0) return undefined;
  return `Needs the scope ${scopes.map((scope) => `\`${scope}\``).join(' and ')}.`;
}

/** `/api/management` → `api_management`. */
function idPart(base: string): string {
  return base.slice(1).replaceAll(/\W/g, '_');
}
