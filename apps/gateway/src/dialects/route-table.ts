/**
 * From a path as it was sent to a dialect's route. Segments are compared decoded, so that `/%63onfigs` is `/configs`; the path with the
 * fewest parameters is the one that is meant, whatever the method. A path that isn't percent-encoded UTF-8, or has an empty segment, is one that there is nothing at.
 */
import type { Dialect, DialectRoute } from './dialect.ts';

/** What is at a path, for a method. */
export type FoundRoute =
  | { readonly route: DialectRoute; readonly params: Readonly<Record<string, string>> }
  /** `allow` is empty where nothing is at the path at all. */
  | { readonly route: null; readonly allow: readonly string[] };

export type RouteTable = (method: string, path: string) => FoundRoute;

interface Entry {
  readonly route: DialectRoute;
  readonly segments: readonly string[];
}

type Paths = Pick<Dialect, 'routes' | 'basePaths' | 'accepts'>;

/** Makes the look-up. Throws when two routes are the same. */
export function createRouteTable({ routes, basePaths, accepts = {} }: Paths): RouteTable {
  const entries = routes.map((route): Entry => ({ route, segments: route.path.slice(1).split('/') }));
  refuseSame(entries);
  const byFewestParams = entries.toSorted((a, b) => paramsIn(a) - paramsIn(b));
  const bases = basePaths.map((base) => base.split('/').slice(1)).toSorted((a, b) => b.length - a.length);

  function belowBase(path: string): readonly string[] | null {
    const segments = decodeSegments(path);
    if (segments === null) return null;
    if (accepts.trailingSlash === true && segments.at(-1) === '') segments.pop();
    const base = bases.find((candidate) => candidate.every((segment, at) => segment === segments[at]));
    const rest = base === undefined ? [] : segments.slice(base.length);
    const last = rest.at(-1) ?? '';
    if (accepts.jsonSuffix === true && last.endsWith('.json'))
      rest.splice(-1, 1, last.slice(0, -'.json'.length));
    return rest.includes('') ? null : rest;
  }

  return (method, path) => {
    const segments = belowBase(path);
    if (segments === null) return { route: null, allow: [] };
    const isHead = method === 'HEAD';
    const wanted = isHead ? 'get' : method.toLowerCase();
    const [closest] = byFewestParams.filter((entry) => fits(entry, segments));
    const atPath = entries.filter(({ route }) => route.path === closest?.route.path);
    const entry = atPath.find(({ route }) => route.method === wanted && !(isHead && route.isUnsafe === true));
    if (entry === undefined) return { route: null, allow: methodsOf(atPath) };
    return { route: entry.route, params: paramsOf(entry, segments) };
  };
}

function decodeSegments(path: string): string[] | null {
  try {
    return path.slice(1).split('/').map(decodeURIComponent);
  } catch {
    return null;
  }
}

function fits({ segments: template }: Entry, segments: readonly string[]): boolean {
  return (
    template.length === segments.length &&
    template.every((segment, at) => isParam(segment) || segment === segments[at])
  );
}

function paramsOf({ segments: template }: Entry, segments: readonly string[]): Record<string, string> {
  const pairs = template.map((segment, at) => [segment, segments[at] ?? ''] as const);
  return Object.fromEntries(
    pairs.filter(([segment]) => isParam(segment)).map(([segment, value]) => [segment.slice(1, -1), value]),
  );
}

function methodsOf(entries: readonly Entry[]): readonly string[] {
  return [...new Set(entries.map(({ route }) => route.method.toUpperCase()))];
}

function paramsIn({ segments }: Entry): number {
  return segments.filter(isParam).length;
}

function isParam(segment: string): boolean {
  return segment.startsWith('{');
}

function refuseSame(entries: readonly Entry[]): void {
  const seen = new Set<string>();
  for (const { route, segments } of entries) {
    const key = `${route.method} ${segments.map((segment) => (isParam(segment) ? '{}' : segment)).join('/')}`;
    if (seen.has(key)) throw new Error(`There are two routes ${route.method} ${route.path}.`);
    seen.add(key);
  }
}
