/** Who has which part of the port: what belongs to the native API alone, and what each dialect claims below a base path. */
import { dialects, type Dialect } from '@posthorn/models';
import type { Claims } from '../owner.ts';

/** The dialects beside the native one; `dialects.ts` has what each is made with. */
export type DialectName = Exclude<Dialect, 'standard'>;
export const dialectNames = dialects.filter((name): name is DialectName => name !== 'standard');

/** The native API: everything that is left, but these are its own whatever the configuration says. */
export const nativeClaims: Claims = {
  name: 'native',
  prefixes: [
    ...['organisations', 'keys', 'event-types', 'endpoints', 'policies', 'filters'],
    ...['events', 'deliveries', 'attempts', 'replays', 'erasures', 'audit', 'encryption'],
  ]
    .map((resource) => `/v1/${resource}`)
    .concat([
      '/openapi.json',
      '/docs',
      '/livez',
      '/readyz',
      '/metrics',
      '/.well-known',
      '/callbacks',
      '/console',
    ]),
  openPrefixes: ['/', '/v1'],
};

/** What is the dialect's below a base path, unknown routes included. A base path of its own is the dialect's altogether. */
const claimsBelow: Readonly<Record<DialectName, (base: string) => readonly string[]>> = {
  ricloud: (base) => ['configs', 'tasks', 'events', 'key', 'keys'].map((name) => `${base}/${name}`),
  // Its paths may have a suffix, the collection's too.
  xurrent: (base) => [`${base}/webhook_policies`, `${base}/webhook_policies.json`],
  rapidly: (base) => [base || '/'],
  preo: (base) => [base || '/webhook-endpoints'],
};

/** The prefixes of a dialect that is served below these base paths. */
export function prefixesOf(name: DialectName, basePaths: readonly string[]): readonly string[] {
  return basePaths.flatMap(claimsBelow[name]);
}
