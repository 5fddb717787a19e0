/** The dialect rapidly. TODO(#6): its routes. */
import type { ErrorCode } from '@posthorn/models';
import type { Dialect, DialectDeps } from '../dialect.ts';

const statuses = {
  invalid_argument: 400,
  payload_too_large: 413,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  method_not_allowed: 405,
  already_exists: 400,
  version_conflict: 400,
  idempotency_mismatch: 400,
  failed_precondition: 400,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
  deadline_exceeded: 504,
} as const satisfies Record<ErrorCode, number>;

export function createRapidlyDialect({ settings }: DialectDeps): Dialect {
  return {
    name: 'rapidly',
    basePaths: settings.basePaths,
    schemes: ['bearer'],
    organisation: { headers: [], unknown: 'not_found' },
    routes: [],
    reference: {
      tag: settings.brand,
      description: 'Webhook endpoints as the clients of rapidly know them.',
      security: { rapidlyToken: { type: 'http', scheme: 'bearer', description: 'An API key.' } },
      failures: {},
    },
    renderFailure: ({ error }) => ({ status: statuses[error.code], body: { detail: error.message } }),
  };
}
