/** The dialect xurrent (4me, R-Service): webhook policies, which sign what their endpoints get as JSON Web Tokens. */
import type { Dialect, DialectDeps } from '../dialect.ts';
import { failures, renderFailure } from './errors.ts';
import { createRequestLimit } from './request-limit.ts';
import { xurrentRoutes } from './routes.ts';

const documentationUrl = 'https://developer.4me.com/v1/#rate-limiting';

export function createXurrentDialect(deps: DialectDeps): Dialect {
  const { settings, clock } = deps;
  const { requestsPerHour } = settings;
  return {
    name: 'xurrent',
    basePaths: settings.basePaths,
    schemes: ['bearer', 'basic'],
    accepts: { trailingSlash: true, jsonSuffix: true },
    // Another account answers as an unknown token does, so that nothing is revealed.
    organisation: { headers: ['x-4me-account', 'x-xurrent-account'], unknown: 'unauthenticated' },
    ...(requestsPerHour !== null && { limit: createRequestLimit(requestsPerHour, clock) }),
    routes: xurrentRoutes(deps),
    reference: {
      tag: settings.brand,
      description: 'Webhook policies as the clients of xurrent know them.',
      security: {
        xurrentToken: { type: 'http', scheme: 'bearer', description: 'An API key.' },
        xurrentBasic: {
          type: 'http',
          scheme: 'basic',
          description: 'The API key as the user, `x` as the password.',
        },
      },
      headers: {
        'X-4me-Account': {
          description: 'The account: the slug of the organisation. The key’s own where it is absent.',
          schema: { type: 'string' },
        },
        'X-Xurrent-Account': { description: 'The same as X-4me-Account.', schema: { type: 'string' } },
        'If-None-Match': {
          description: 'The `ETag` that you have: when it still is the current one, a GET answers 304.',
          schema: { type: 'string' },
        },
      },
      failures,
    },
    renderFailure: (failure) => renderFailure(failure, documentationUrl),
  };
}
