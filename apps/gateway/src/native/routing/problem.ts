/**
 * Errors as `application/problem+json` (RFC 9457). The table is exhaustive by type: a new error code doesn't compile
 * until it has a status here. Nothing of an error but its public half (code, message, violations, wait) gets out.
 */
import type { DomainError, ErrorCode, Violation } from '@posthorn/models';
import { retryAfterSeconds } from '../../retry-after.ts';
import type { Answer } from './route.ts';

/** What each error code is over HTTP. */
export const problemKinds = {
  invalid_argument: { status: 400, title: 'The request is not valid.' },
  unauthenticated: { status: 401, title: 'The API key is missing or not valid.' },
  permission_denied: { status: 403, title: 'The API key may not do this.' },
  not_found: { status: 404, title: 'There is no such thing.' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here.' },
  already_exists: { status: 409, title: 'It exists already.' },
  idempotency_mismatch: { status: 409, title: 'The idempotency key was used for another request.' },
  failed_precondition: { status: 409, title: 'The state of things does not allow this.' },
  version_conflict: { status: 412, title: 'It has been changed in the meantime.' },
  payload_too_large: { status: 413, title: 'The body is too large.' },
  rate_limited: { status: 429, title: 'Too many requests.' },
  internal: { status: 500, title: 'Something went wrong on our side.' },
  unavailable: { status: 503, title: 'Not available at the moment.' },
  deadline_exceeded: { status: 504, title: 'It took too long.' },
} as const satisfies Record<ErrorCode, { readonly status: number; readonly title: string }>;

/** The body of an error's answer. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly requestId: string;
  /** Only where something is wrong with the request itself. */
  readonly violations?: readonly Violation[];
}

/** The problem that an error is, for an answer of its own or for a result in a batch. */
export function toProblem(error: DomainError, requestId: string): Problem {
  const { status, title } = problemKinds[error.code];
  return {
    type: `urn:posthorn:problem:${error.code}`,
    title,
    status,
    code: error.code,
    detail: error.message,
    requestId,
    ...(error.violations.length > 0 && { violations: error.violations }),
  };
}

/** The whole answer for an error; `members` are added to the problem's body. */
export function problemAnswer(error: DomainError, requestId: string, members: object = {}): Answer<Problem> {
  const problem = toProblem(error, requestId);
  return {
    status: problem.status,
    contentType: 'application/problem+json',
    body: { ...problem, ...members },
    headers: problemHeaders(error),
  };
}

const bareChallenge = 'Bearer realm="posthorn"';

/** The answer to credentials that were not taken says why (RFC 6750, section 3); one to none at all just asks for some. */
export function withInvalidToken(answer: Answer<Problem>): Answer<Problem> {
  // What a quoted string can't hold as it is.
  const why = (answer.body?.detail ?? '').replace(/[^\x20-\x7e]|["\\]/g, "'");
  const challenge = `${bareChallenge}, error="invalid_token", error_description="${why}"`;
  return { ...answer, headers: { ...answer.headers, 'WWW-Authenticate': challenge } };
}

function problemHeaders(error: DomainError): Record<string, string> {
  const headers: Record<string, string> = { 'Cache-Control': 'no-store' };
  if (error.code === 'unauthenticated') headers['WWW-Authenticate'] = bareChallenge;
  const seconds = retryAfterSeconds(error);
  if (seconds !== null) headers['Retry-After'] = String(seconds);
  return headers;
}
