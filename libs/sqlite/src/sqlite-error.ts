import { DomainError } from '@posthorn/models';

/** Primary result codes of SQLite (sqlite.org/rescode.html) that say "not now" rather than "wrong". */
const unavailableCodes: Readonly<Record<number, string>> = {
  5: 'The database is locked by another process.',
  8: 'The database file is read-only.',
  10: 'The disk answered with an error.',
  13: 'The disk is full.',
  14: 'The database file cannot be opened.',
};

const constraintUnique = 2067;
const constraintPrimaryKey = 1555;

/**
 * SQLite's extended result code of an error; undefined when it isn't one of SQLite's. Goes by shape: errors of built-in
 * modules aren't instances of a test runner's own `Error`.
 */
export function sqliteErrorCode(error: unknown): number | undefined {
  return typeof error === 'object' &&
    error !== null &&
    'errcode' in error &&
    typeof error.errcode === 'number'
    ? error.errcode
    : undefined;
}

/** Whether a statement was refused because a row with the same key is there already. */
export function isUniqueViolation(error: unknown): boolean {
  const code = sqliteErrorCode(error);
  return code === constraintUnique || code === constraintPrimaryKey;
}

/** A full disk, an unreadable file and their like become `unavailable` with a public reason; everything else stays as it is. */
export function fromSqliteError(error: unknown): unknown {
  const code = sqliteErrorCode(error);
  if (code === undefined) return error;
  const reason = unavailableCodes[code & 0xff];
  return reason === undefined
    ? error
    : new DomainError('unavailable', reason, { cause: error, retryAfterMs: 1000 });
}
