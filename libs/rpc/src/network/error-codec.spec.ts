import { Metadata, status as Code } from '@grpc/grpc-js';
import { googleRpc } from '@posthorn/contracts';
import { DomainError, errorCodes } from '@posthorn/models';
import { errorFromStatus, statusFromError } from './error-codec.ts';

describe('an error on the wire', () => {
  it.each(errorCodes)('comes back exactly as it was: %s', (code) => {
    const violations = [{ field: '/a', code: 'required', message: 'must be set' }];
    const error = new DomainError(code, 'What is wrong.', { violations, retryAfterMs: 90_061_001 });

    expect(errorFromStatus(statusFromError(error))).toEqual(error);
  });

  it.each([0, 1, 999, 1_000, 1.5, 86_400_000, 2 ** 45])('keeps a wait of %d ms', (retryAfterMs) => {
    const error = new DomainError('rate_limited', 'Too many.', { retryAfterMs });

    expect(errorFromStatus(statusFromError(error)).retryAfterMs).toBe(retryAfterMs);
  });

  it('says what other gRPC clients look for: the code, ErrorInfo, BadRequest, RetryInfo', () => {
    const violations = [{ field: '/url', code: 'format', message: 'must be a URL' }];
    const sent = statusFromError(
      new DomainError('idempotency_mismatch', 'Used before.', { violations, retryAfterMs: 1_500 }),
    );

    expect(sent).toMatchObject({ code: Code.ALREADY_EXISTS, details: 'Used before.' });
    const status = googleRpc.Status.decode(sent.metadata.get('grpc-status-details-bin')[0] as Buffer);
    const detail = (type: string): Uint8Array =>
      status.details.find((any) => any.typeUrl === `type.googleapis.com/google.rpc.${type}`)?.value ??
      new Uint8Array();
    expect(status).toMatchObject({ code: Code.ALREADY_EXISTS, message: 'Used before.' });
    expect(googleRpc.ErrorInfo.decode(detail('ErrorInfo'))).toMatchObject({
      reason: 'idempotency_mismatch',
      domain: 'posthorn',
    });
    expect(googleRpc.BadRequest.decode(detail('BadRequest')).fieldViolations).toEqual([
      { field: '/url', description: 'must be a URL', reason: 'format' },
    ]);
    expect(googleRpc.RetryInfo.decode(detail('RetryInfo')).retryDelay).toEqual({
      seconds: 1n,
      nanos: 500_000_000,
    });
  });

  it('tells which limit refused it as a QuotaFailure, and when it has room again', () => {
    const message = 'The key may publish 10 events a second; none is left.';
    const violation = { field: '', code: 'key_publishes_per_second', message };
    const error = new DomainError('rate_limited', message, { violations: [violation], retryAfterMs: 250 });
    const sent = statusFromError(error);

    expect(sent.code).toBe(Code.RESOURCE_EXHAUSTED);
    const status = googleRpc.Status.decode(sent.metadata.get('grpc-status-details-bin')[0] as Buffer);
    expect(
      status.details.map(({ typeUrl }) => typeUrl.replace('type.googleapis.com/google.rpc.', '')),
    ).toEqual(['ErrorInfo', 'QuotaFailure', 'RetryInfo']);
    const failure = googleRpc.QuotaFailure.decode(status.details[1]?.value ?? new Uint8Array());
    expect(failure.violations).toEqual([
      { subject: '', quotaId: 'key_publishes_per_second', description: message },
    ]);
    expect(errorFromStatus(sent)).toEqual(error);
  });

  it('never carries the cause', () => {
    const sent = statusFromError(new DomainError('internal', 'Sorry.', { cause: new Error('swordfish') }));

    expect(JSON.stringify(sent.metadata.getMap()) + sent.details).not.toContain('swordfish');
    expect(Buffer.concat(sent.metadata.get('grpc-status-details-bin') as Buffer[]).toString()).not.toContain(
      'swordfish',
    );
  });

  it('stays within what peers take for trailers, and says how much it left out', () => {
    const violations = Array.from({ length: 5_000 }, (_, index) => ({
      field: `/events/${index}/type`,
      code: 'pattern',
      message: 'must be words of letters, digits, - and _ with dots between them',
    }));
    const sent = statusFromError(DomainError.invalid(violations));

    const [bytes] = sent.metadata.get('grpc-status-details-bin') as Buffer[];
    expect(bytes?.length).toBeLessThan(6 * 1024);
    const received = errorFromStatus(sent).violations;
    expect(received.slice(0, -1)).toEqual(violations.slice(0, received.length - 1));
    expect(received.length).toBeGreaterThan(20);
    expect(received.at(-1)).toEqual({
      field: '',
      code: 'truncated',
      message: `and ${5_000 - (received.length - 1)} more`,
    });
  });
});

describe('a status that is not ours', () => {
  it.each([
    [Code.UNAVAILABLE, 'unavailable'],
    [Code.CANCELLED, 'unavailable'],
    [Code.DEADLINE_EXCEEDED, 'deadline_exceeded'],
    [Code.RESOURCE_EXHAUSTED, 'payload_too_large'],
    [Code.UNAUTHENTICATED, 'unauthenticated'],
    [Code.INTERNAL, 'internal'],
    [Code.UNKNOWN, 'internal'],
    [99, 'internal'],
  ])('is told by its code alone, its text kept private: %i', (code, expected) => {
    const status = { code, details: 'connect ECONNREFUSED 10.0.0.7:50051', metadata: new Metadata() };

    const error = errorFromStatus(status);

    expect(error.code).toBe(expected);
    expect(error.message).not.toContain('10.0.0.7');
    expect(error.cause).toBe(status);
  });

  it.each<[string, Buffer]>([
    ['can not be decoded', Buffer.from([0xff, 0xff])],
    [
      'are of another domain',
      Buffer.from(
        googleRpc.Status.encode({
          code: 5,
          message: 'x',
          details: [
            {
              typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo',
              value: googleRpc.ErrorInfo.encode({
                reason: 'not_found',
                domain: 'example.com',
                metadata: {},
              }).finish(),
            },
          ],
        }).finish(),
      ),
    ],
  ])('is told by its code alone when its details %s', (_what, details) => {
    const metadata = new Metadata();
    metadata.set('grpc-status-details-bin', details);

    const error = errorFromStatus({ code: Code.NOT_FOUND, details: 'x', metadata });

    expect(error).toMatchObject({ code: 'not_found', message: 'There is no such thing.' });
  });
});
