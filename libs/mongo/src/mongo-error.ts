import { DomainError } from '@posthorn/models';
import {
  MongoBulkWriteError,
  MongoClientClosedError,
  MongoError,
  MongoExpiredSessionError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoServerClosedError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
} from 'mongodb';

/**
 * The driver's errors in the platform's terms. "Not now" (no primary, no connection, no majority, too slow, no room) is
 * `unavailable`: what was to be written may have been, and may be written again. Everything else stays as it is: it is
 * somebody's mistake.
 */

/** The code of every refusal by a unique index. */
const duplicateKeyCode = 11_000;

/** The server's disk is full. */
const outOfDiskSpaceCode = 14_031;

/** Error codes of MongoDB (`src/mongo/base/error_codes.yml`) of servers that can't do it now. */
const notNowCodes: ReadonlySet<unknown> = new Set([
  6, // HostUnreachable
  7, // HostNotFound
  50, // MaxTimeMSExpired
  64, // WriteConcernFailed
  89, // NetworkTimeout
  91, // ShutdownInProgress
  100, // UnsatisfiableWriteConcern
  133, // FailedToSatisfyReadPreference
  134, // ReadConcernMajorityNotAvailableYet
  189, // PrimarySteppedDown
  202, // NetworkInterfaceExceededTimeLimit
  262, // ExceededTimeLimit
  9001, // SocketException
  10_058, // LegacyNotPrimary
  10_107, // NotWritablePrimary
  11_600, // InterruptedAtShutdown
  11_602, // InterruptedDueToReplStateChange
  13_435, // NotPrimaryNoSecondaryOk
  13_436, // NotPrimaryOrSecondary
]);

const notNowClasses = [
  MongoNetworkError,
  MongoServerSelectionError,
  MongoWriteConcernError,
  MongoNotConnectedError,
  MongoTopologyClosedError,
  MongoServerClosedError,
  MongoClientClosedError,
  MongoExpiredSessionError,
] as const;

/** Those that the driver doesn't export. */
const notNowNames: ReadonlySet<string> = new Set(['MongoPoolClosedError', 'MongoWaitQueueTimeoutError']);

const notNowLabels = ['RetryableWriteError', 'TransientTransactionError', 'SystemOverloadedError'] as const;

/** Whether a write was refused by a unique index, and nothing else went wrong. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === duplicateKeyCode && !lacksMajority(error);
}

/** Whether the same operation may succeed when it is tried again. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof MongoError)) return false;
  return (
    notNowClasses.some((notNow) => error instanceof notNow) ||
    notNowNames.has(error.name) ||
    notNowLabels.some((label) => error.hasErrorLabel(label)) ||
    notNowCodes.has(error.code) ||
    lacksMajority(error) ||
    isUnavailable(reasonOfBulk(error))
  );
}

/** What kept the driver from carrying a bulk out, such as a lost connection: its own error, which has neither class nor label of it. */
function reasonOfBulk(error: MongoError): unknown {
  return error instanceof MongoBulkWriteError ? error.errorResponse : undefined;
}

/** What callers see: `unavailable` with a public reason; a `DomainError` and what is a mistake stay as they are. */
export function fromMongoError(error: unknown): unknown {
  if (error instanceof MongoServerError && error.code === outOfDiskSpaceCode) {
    return unavailable("The database's disk is full.", error);
  }
  return isUnavailable(error) ? unavailable('The database cannot be reached.', error) : error;
}

/** A `DomainError` that says "not now". */
export function unavailable(message: string, cause?: unknown): DomainError {
  return new DomainError('unavailable', message, { cause, retryAfterMs: 1000 });
}

/** Which operations of an unordered bulk a unique index refused; null when anything else went wrong as well. */
export function duplicatesOnly(error: unknown): ReadonlySet<number> | null {
  if (!(error instanceof MongoBulkWriteError) || lacksMajority(error)) return null;
  const writeErrors = [error.writeErrors].flat();
  if (writeErrors.length === 0 || writeErrors.some(({ code }) => code !== duplicateKeyCode)) return null;
  return new Set(writeErrors.map(({ index }) => index));
}

/** A bulk whose writes weren't confirmed by a majority in time: they may yet be undone. */
function lacksMajority(error: MongoError): boolean {
  return error instanceof MongoBulkWriteError && error.result.getWriteConcernError() !== undefined;
}
