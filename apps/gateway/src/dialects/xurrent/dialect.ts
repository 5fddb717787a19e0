/** The dialect xurrent (4me, R-Service): webhook policies, which sign what their endpoints get as JSON Web Tokens. */
import type { Dialect, DialectDeps } from '../dialect.ts';
import { failures, renderFailure } from './errors.ts';

const documentationUrl = 'https://developer.4me.com/v1/#rate-limiting';

export function createXurrentDialect({ settings }: DialectDeps): Dialect {
  return {
    name: 'xurrent',
    basePaths: settings.basePaths,
    schemes: ['bearer', 'basic'],
    accepts: { trailingSlash: true, jsonSuffix: true },
    // Another account answers as an unknown token does, so that nothing is revealed.
    organisation: { headers: ['x-4me-account', 'x-xurrent-account'], unknown: 'unauthenticated' },
    routes: [],
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
      failures,
    },
    renderFailure: (failure) => renderFailure(failure, documentationUrl),
  };
}
