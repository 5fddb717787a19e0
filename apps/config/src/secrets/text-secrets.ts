import { crc32 } from 'node:zlib';
import type { Dialect, Violation } from '@posthorn/models';

/**
 * Secrets whose text as it is gives the key (the UTF-8 bytes of all of it): those of ricloud, rapidly and preo. Ours carry 32 random
 * bytes; an owner who moves here may bring one of any form.
 */

const randomPartBytes = 32;
const checkBytes = 4;
const rapidlyPrefix = 'rapidly_whs_';

/** In UTF-16 units. */
export const maxTextSecretLength = 512;

/** A new secret in the form of that dialect. */
export function generateTextSecret(dialect: Dialect, randomBytes: (count: number) => Uint8Array): string {
  const random = randomBytes(randomPartBytes);
  return dialect === 'rapidly' ? rapidlySecret(random) : Buffer.from(random).toString('base64url');
}

/** The prefix and 48 characters: the random bytes with a checksum behind them, by which a scanner can tell a real one. */
function rapidlySecret(random: Uint8Array): string {
  const check = Buffer.alloc(checkBytes);
  check.writeUInt32BE(crc32(random));
  return rapidlyPrefix + Buffer.concat([random, check]).toString('base64url');
}

/** Whether the text is a secret of rapidly's own form with a right checksum. */
export function isRapidlySecret(text: string): boolean {
  const bytes = Buffer.from(text.slice(rapidlyPrefix.length), 'base64url');
  return (
    bytes.length === randomPartBytes + checkBytes &&
    rapidlySecret(bytes.subarray(0, randomPartBytes)) === text
  );
}

/** What is wrong with a secret that an owner brings along. */
export function checkTextSecret(text: string): readonly Violation[] {
  const field = '/secret';
  if (text === '') return [{ field, code: 'too_short', message: 'This must not be empty.' }];
  if (text.length > maxTextSecretLength) {
    return [{ field, code: 'too_long', message: `At most ${maxTextSecretLength} characters are allowed.` }];
  }
  if (text.isWellFormed()) return [];
  return [{ field, code: 'invalid_format', message: "Half characters aren't allowed." }];
}
