/** Keys as the dialects send them, brought into the one form that is looked up: `Bearer <key>`. */
import { DomainError } from '@posthorn/models';
import type { CredentialScheme } from './dialect.ts';

/** The `Bearer` header that says the same. Throws `unauthenticated` for a scheme that isn't among those, or for no credentials. */
export function bearerOf(authorization: string | undefined, schemes: readonly CredentialScheme[]): string {
  if (authorization === undefined || authorization === '') throw refused('There is no API key.');
  const [, name = '', value = ''] = /^(\S+) +(\S+) *$/.exec(authorization) ?? [];
  const scheme = name.toLowerCase();
  if (!schemes.some((accepted) => accepted === scheme))
    throw refused('The Authorization header has another form.');
  return `Bearer ${scheme === 'basic' ? userOf(value) : value}`;
}

/** The key is the user; the password says nothing. */
function userOf(basic: string): string {
  return Buffer.from(basic, 'base64').toString('utf8').split(':', 1)[0] ?? '';
}

function refused(message: string): DomainError {
  return new DomainError('unauthenticated', message);
}
