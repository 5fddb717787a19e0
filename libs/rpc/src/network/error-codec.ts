/**
 * The one typed error on the wire: a gRPC status with google.rpc.Status details (AIP-193): ErrorInfo carries our code, BadRequest
 * the violations (QuotaFailure, where they are limits), RetryInfo the wait. What crosses: code, message, violations, wait. What never does: the cause, and any
 * text that we didn't write ourselves.
 */
import { Metadata, status as Code } from '@grpc/grpc-js';
import { googleRpc } from '@posthorn/contracts';
import { DomainError, errorCodes, type ErrorCode, type Violation } from '@posthorn/models';

/** What grpc-js sends as the end of a call. */
export interface WireStatus {
  readonly code: Code;
  readonly details: string;
  readonly metadata: Metadata;
}

const domain = 'posthorn';
const detailsKey = 'grpc-status-details-bin';

/** Peers refuse large trailers (8 KiB with many): violations beyond this are counted instead of listed. */
const maxDetailsBytes = 5 * 1024;
const maxMessageLength = 1024;

const statusOf = {
  invalid_argument: Code.INVALID_ARGUMENT,
  payload_too_large: Code.RESOURCE_EXHAUSTED,
  unauthenticated: Code.UNAUTHENTICATED,
  permission_denied: Code.PERMISSION_DENIED,
  not_found: Code.NOT_FOUND,
  method_not_allowed: Code.UNIMPLEMENTED,
  already_exists: Code.ALREADY_EXISTS,
  version_conflict: Code.ABORTED,
  idempotency_mismatch: Code.ALREADY_EXISTS,
  failed_precondition: Code.FAILED_PRECONDITION,
  rate_limited: Code.RESOURCE_EXHAUSTED,
  unavailable: Code.UNAVAILABLE,
  deadline_exceeded: Code.DEADLINE_EXCEEDED,
  internal: Code.INTERNAL,
} satisfies Record<ErrorCode, Code>;

/** What a status means that carries no details of ours: it comes from gRPC itself, or from what lies between. */
const bareErrorOf = {
  [Code.OK]: ['internal', 'Something went wrong on our side.'],
  [Code.CANCELLED]: ['unavailable', 'The call was cancelled.'],
  [Code.UNKNOWN]: ['internal', 'Something went wrong on our side.'],
  [Code.INVALID_ARGUMENT]: ['invalid_argument', 'The request is not valid.'],
  [Code.DEADLINE_EXCEEDED]: ['deadline_exceeded', 'The answer took longer than the deadline allows.'],
  [Code.NOT_FOUND]: ['not_found', 'There is no such thing.'],
  [Code.ALREADY_EXISTS]: ['already_exists', 'It exists already.'],
  [Code.PERMISSION_DENIED]: ['permission_denied', 'This is not allowed.'],
  // Of gRPC itself this says that a message is over the limit.
  [Code.RESOURCE_EXHAUSTED]: ['payload_too_large', 'The message is too large.'],
  [Code.FAILED_PRECONDITION]: ['failed_precondition', 'This is not possible in the present state.'],
  [Code.ABORTED]: ['unavailable', 'The call was aborted.'],
  [Code.OUT_OF_RANGE]: ['invalid_argument', 'The request is not valid.'],
  [Code.UNIMPLEMENTED]: ['internal', 'Something went wrong on our side.'],
  [Code.INTERNAL]: ['internal', 'Something went wrong on our side.'],
  [Code.UNAVAILABLE]: ['unavailable', 'A service that is needed is not available right now.'],
  [Code.DATA_LOSS]: ['internal', 'Something went wrong on our side.'],
  [Code.UNAUTHENTICATED]: ['unauthenticated', 'The call is not authenticated.'],
} satisfies Record<Code, readonly [ErrorCode, string]>;

/** The status that an error is sent as. */
export function statusFromError(error: DomainError): WireStatus {
  const code = statusOf[error.code];
  // Half a surrogate pair would make grpc-js throw while it sends.
  const message = error.message.slice(0, maxMessageLength).toWellFormed();
  const metadata = new Metadata();
  metadata.set(detailsKey, Buffer.from(encodeDetails(code, message, error)));
  return { code, details: message, metadata };
}

function encodeDetails(code: Code, message: string, error: DomainError): Uint8Array {
  const info = googleRpc.ErrorInfo.encode({ reason: error.code, domain, metadata: {} }).finish();
  const details = [any('google.rpc.ErrorInfo', info)];
  if (error.violations.length > 0 && error.code === 'rate_limited')
    details.push(any('google.rpc.QuotaFailure', encodeLimits(error.violations)));
  else if (error.violations.length > 0)
    details.push(any('google.rpc.BadRequest', encodeViolations(error.violations)));
  if (error.retryAfterMs !== undefined) {
    const retryDelay = durationFromMs(error.retryAfterMs);
    details.push(any('google.rpc.RetryInfo', googleRpc.RetryInfo.encode({ retryDelay }).finish()));
  }
  return googleRpc.Status.encode({ code, message, details }).finish();
}

/** There are a handful of limits: nothing needs to be left out. */
function encodeLimits(violations: readonly Violation[]): Uint8Array {
  return googleRpc.QuotaFailure.encode({
    violations: violations.map(({ field, code, message }) => ({
      subject: field,
      quotaId: code,
      description: message,
    })),
  }).finish();
}

function encodeViolations(violations: readonly Violation[]): Uint8Array {
  const listed = violations.map(({ field, code, message }) => ({
    field,
    description: message,
    reason: code,
  }));
  const encode = (count: number): Uint8Array => {
    const left = listed.length - count;
    const rest = { field: '', reason: 'truncated', description: `and ${left} more` };
    const fieldViolations = left > 0 ? [...listed.slice(0, count), rest] : listed;
    return googleRpc.BadRequest.encode({ fieldViolations }).finish();
  };
  let count = listed.length;
  let encoded = encode(count);
  while (encoded.length > maxDetailsBytes && count > 0) {
    count = Math.floor(count / 2);
    encoded = encode(count);
  }
  return encoded;
}

/** The error that a status stands for, as its thrower made it; what isn't ours becomes a plain one with the status as its cause. */
export function errorFromStatus(status: {
  readonly code: Code;
  readonly details: string;
  readonly metadata?: Metadata | null;
}): DomainError {
  const [bytes] = status.metadata?.get(detailsKey) ?? [];
  const typed = bytes instanceof Buffer ? decodeDetails(bytes) : undefined;
  if (typed !== undefined) return typed;
  const [code, message] = bareErrorOf[status.code] ?? bareErrorOf[Code.UNKNOWN];
  return new DomainError(code, message, { cause: status });
}

function decodeDetails(bytes: Buffer): DomainError | undefined {
  let code: ErrorCode | undefined;
  let violations: readonly Violation[] = [];
  let retryAfterMs: number | undefined;
  try {
    const { message, details } = googleRpc.Status.decode(bytes);
    for (const { typeUrl, value } of details) {
      if (typeUrl.endsWith('/google.rpc.ErrorInfo')) code = codeOf(googleRpc.ErrorInfo.decode(value));
      else if (typeUrl.endsWith('/google.rpc.BadRequest'))
        violations = googleRpc.BadRequest.decode(value).fieldViolations.map(
          ({ field, reason, description }) => ({ field, code: reason, message: description }),
        );
      else if (typeUrl.endsWith('/google.rpc.QuotaFailure'))
        violations = googleRpc.QuotaFailure.decode(value).violations.map(
          ({ subject, quotaId, description }) => ({ field: subject, code: quotaId, message: description }),
        );
      else if (typeUrl.endsWith('/google.rpc.RetryInfo'))
        retryAfterMs = msFromDuration(googleRpc.RetryInfo.decode(value).retryDelay);
    }
    if (code === undefined) return undefined;
    return new DomainError(code, message, {
      violations,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });
  } catch {
    // Details that can't be read are as good as none.
    return undefined;
  }
}

function codeOf(info: googleRpc.ErrorInfo): ErrorCode | undefined {
  return info.domain === domain ? errorCodes.find((code) => code === info.reason) : undefined;
}

function any(type: string, value: Uint8Array) {
  return { typeUrl: `type.googleapis.com/${type}`, value };
}

function durationFromMs(ms: number) {
  const seconds = Math.floor(ms / 1000);
  return { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

function msFromDuration(duration: { seconds: bigint; nanos: number } | undefined): number | undefined {
  return duration && Number(duration.seconds) * 1000 + duration.nanos / 1e6;
}
