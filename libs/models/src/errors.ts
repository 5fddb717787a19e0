/**
 * The one error that may cross a boundary. Its message is public by definition; the private story is in `cause`.
 * Every edge (gRPC, native REST, each dialect) maps the closed list of codes exhaustively by type.
 */
export const errorCodes = [
  'invalid_argument',
  'payload_too_large',
  'unauthenticated',
  'permission_denied',
  'not_found',
  'method_not_allowed',
  'already_exists',
  'version_conflict',
  'idempotency_mismatch',
  'failed_precondition',
  'rate_limited',
  'unavailable',
  'deadline_exceeded',
  'internal',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** One thing that is wrong with a request: `field` is a JSON pointer into the body (empty: the whole of it), or `?name` for a parameter. */
export interface Violation {
  readonly field: string;
  readonly code: string;
  readonly message: string;
}

export interface DomainErrorDetails {
  readonly violations?: readonly Violation[];
  /** How long the caller should wait before it tries again, in milliseconds. */
  readonly retryAfterMs?: number;
  /** The private story: logged, never shown. */
  readonly cause?: unknown;
}

export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly code: ErrorCode;
  readonly violations: readonly Violation[];
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, details: DomainErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.violations = details.violations ?? [];
    this.retryAfterMs = details.retryAfterMs;
  }

  /** The one funnel for caught values: a DomainError as it is, anything else as a bare `internal` with the value as its cause. */
  static from(value: unknown): DomainError {
    return value instanceof DomainError
      ? value
      : new DomainError('internal', 'Something went wrong on our side.', { cause: value });
  }

  /** `invalid_argument` with all violations; the message counts them. */
  static invalid(violations: readonly Violation[]): DomainError {
    const [first] = violations;
    const message =
      violations.length === 1 && first
        ? `${first.field === '' ? '' : `${first.field}: `}${first.message}`
        : `${violations.length} problems were found; see violations.`;
    return new DomainError('invalid_argument', message, { violations });
  }
}
