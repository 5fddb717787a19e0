/**
 * What the many error codes of sockets, TLS and the HTTP parser mean for an attempt: one of our outcomes, and a sentence for
 * people that holds nothing of our insides. An error that nobody foresaw is `internal`: better our fault than the receiver's.
 */
import type { AttemptOutcome } from '@posthorn/models';
import { errors } from 'undici';

/** Why no usable answer came. */
export interface Failure {
  readonly outcome: Exclude<AttemptOutcome, 'success' | 'http_error'>;
  /** A sentence for people. */
  readonly message: string;
}

const refused: Failure = { outcome: 'refused', message: 'The connection was refused.' };
const unreachable: Failure = { outcome: 'refused', message: 'The receiver could not be reached.' };
const reset: Failure = { outcome: 'reset', message: 'The connection was closed before an answer came.' };
const notHttp: Failure = { outcome: 'protocol', message: 'What came back is not HTTP/1.1.' };
const untrusted: Failure = {
  outcome: 'tls',
  message: 'The certificate is not signed by a trusted authority.',
};

const byCode: ReadonlyMap<string, Failure> = new Map([
  ['ECONNREFUSED', refused],
  ['EHOSTUNREACH', unreachable],
  ['EHOSTDOWN', unreachable],
  ['ENETUNREACH', unreachable],
  ['ENETDOWN', unreachable],
  ['EACCES', unreachable],
  ['EPERM', unreachable],
  ['ETIMEDOUT', { outcome: 'timeout', message: 'The connection timed out.' }],
  ['ECONNRESET', reset],
  ['ECONNABORTED', reset],
  ['EPIPE', reset],
  ['UND_ERR_SOCKET', reset],
  [
    'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
    { outcome: 'protocol', message: 'The answer contradicts itself about its length.' },
  ],
  [
    'UND_ERR_HEADERS_OVERFLOW',
    {
      outcome: 'too_large',
      message: 'The head of the answer is larger than 16 KiB.',
    },
  ],
  ['CERT_HAS_EXPIRED', { outcome: 'tls', message: 'The certificate has expired.' }],
  ['CERT_NOT_YET_VALID', { outcome: 'tls', message: 'The certificate is not valid yet.' }],
  ['CERT_REVOKED', { outcome: 'tls', message: 'The certificate was revoked.' }],
  ['ERR_TLS_CERT_ALTNAME_INVALID', { outcome: 'tls', message: 'The certificate is for another name.' }],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', untrusted],
  ['SELF_SIGNED_CERT_IN_CHAIN', untrusted],
  ['UNABLE_TO_GET_ISSUER_CERT', untrusted],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', untrusted],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', untrusted],
  ['CERT_UNTRUSTED', untrusted],
]);

/** The failure that an error of the connection or of undici stands for. */
export function failureOf(error: Error): Failure {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  // undici has one code for a connection that ended and for an answer that breaks the protocol.
  if (code === 'UND_ERR_SOCKET' && error.message.startsWith('bad ')) return notHttp;
  const known = byCode.get(code);
  if (known !== undefined) return known;
  if (error instanceof errors.HTTPParserError) return notHttp;
  if (/^(?:ERR_SSL_|ERR_TLS_|CERT_|EPROTO$)|_CERT|_CRL/.test(code)) {
    return { outcome: 'tls', message: 'The TLS connection could not be made.' };
  }
  return { outcome: 'internal', message: 'The request could not be sent.' };
}
