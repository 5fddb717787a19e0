import { errors } from 'undici';
import { failureOf } from './failure.ts';

const withCode = (code: string): Error => Object.assign(new Error('private words'), { code });

describe('failureOf', () => {
  it.each([
    ['ECONNREFUSED', 'refused'],
    ['EHOSTUNREACH', 'refused'],
    ['ENETUNREACH', 'refused'],
    ['ETIMEDOUT', 'timeout'],
    ['ECONNRESET', 'reset'],
    ['EPIPE', 'reset'],
    ['UND_ERR_SOCKET', 'reset'],
    ['UND_ERR_HEADERS_OVERFLOW', 'too_large'],
    ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'protocol'],
    ['CERT_HAS_EXPIRED', 'tls'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'tls'],
    ['CERT_SIGNATURE_FAILURE', 'tls'],
    ['UNABLE_TO_GET_CRL', 'tls'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'tls'],
    ['EPROTO', 'tls'],
    ['EMFILE', 'internal'],
    ['UND_ERR_INVALID_ARG', 'internal'],
    ['constructor', 'internal'],
  ])('takes %s for %s, and never shows the words of the error', (code, outcome) => {
    const failure = failureOf(withCode(code));
    expect(failure.outcome).toBe(outcome);
    expect(failure.message).toMatch(/^[A-Z].*\.$/);
    expect(failure.message).not.toContain('private');
  });

  it('takes what the parser refuses for a breach of the protocol, and so an answer that undici calls bad', () => {
    expect(failureOf(new errors.HTTPParserError('x')).outcome).toBe('protocol');
    expect(failureOf(new errors.SocketError('bad response')).outcome).toBe('protocol');
    expect(failureOf(new errors.SocketError('other side closed')).outcome).toBe('reset');
  });

  it('takes several addresses that failed for the failure that they share', () => {
    const all = Object.assign(new AggregateError([withCode('ECONNREFUSED')]), { code: 'ECONNREFUSED' });
    expect(failureOf(all).outcome).toBe('refused');
  });

  it('takes an error without a code for our own fault', () => {
    expect(failureOf(new Error('private words'))).toEqual({
      outcome: 'internal',
      message: 'The request could not be sent.',
    });
  });
});
