import { DomainError, errorCodes, type ErrorCode } from '@posthorn/models';
import type * as ingestV1 from './gen/posthorn/ingest/v1/ingest.ts';

/** Why one event of many was refused: a batch and a stream carry errors as data, so that one spoils none of the others. */
export function refusalToMessage(error: DomainError, id?: string): ingestV1.Refused {
  return {
    code: error.code,
    message: error.message,
    violations: error.violations.map((violation) => ({ ...violation })),
    retryAfterMs: error.retryAfterMs === undefined ? undefined : BigInt(Math.ceil(error.retryAfterMs)),
    id,
  };
}

/** The error that an event was refused with; a code that this version doesn't know becomes `internal`. */
export function refusalFromMessage(message: ingestV1.Refused): DomainError {
  return new DomainError(isErrorCode(message.code) ? message.code : 'internal', message.message, {
    violations: message.violations,
    ...(message.retryAfterMs !== undefined && { retryAfterMs: Number(message.retryAfterMs) }),
  });
}

function isErrorCode(code: string): code is ErrorCode {
  return (errorCodes as readonly string[]).includes(code);
}
