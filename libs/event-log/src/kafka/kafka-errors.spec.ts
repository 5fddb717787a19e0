import { DomainError } from '@posthorn/models';
import { isTooLarge, kafkaError } from './kafka-errors.ts';

function error(name: string, message: string, over: object = {}): Error {
  return Object.assign(new Error(message), { name }, over);
}

const exceeded = (cause: Error): Error =>
  Object.assign(error('KafkaJSNumberOfRetriesExceeded', cause.message), { cause });

describe('kafkaError', () => {
  it.each([
    ['credentials', error('KafkaJSSASLAuthenticationError', 'SASL PLAIN authentication failed')],
    ['mechanisms', error('KafkaJSProtocolError', 'not supported', { type: 'UNSUPPORTED_SASL_MECHANISM' })],
    ['certificates', error('KafkaJSConnectionError', 'self-signed', { code: 'SELF_SIGNED_CERT_IN_CHAIN' })],
    ['rights', error('KafkaJSProtocolError', 'not authorized', { type: 'TOPIC_AUTHORIZATION_FAILED' })],
  ])('says that waiting does not help with %s, however deep the story', (_what, cause) => {
    const told = kafkaError(exceeded(cause), 'The log could not be opened');
    expect(told.code).toBe('failed_precondition');
    expect(told.message).toContain('The log could not be opened: ');
    expect(told.message).toContain(cause.message);
  });

  it('asks to try again whatever else it was', () => {
    const told = kafkaError(
      exceeded(error('KafkaJSConnectionError', 'connect ECONNREFUSED', { code: 'ECONNREFUSED' })),
      'x',
    );
    expect(told).toMatchObject({ code: 'unavailable', retryAfterMs: 1000 });
    expect(kafkaError('nonsense', 'x')).toMatchObject({ code: 'unavailable', message: 'x: Kafka is away' });
  });

  it('hints at TLS and SASL when a broker just hangs up', () => {
    const told = kafkaError(exceeded(error('KafkaJSConnectionClosedError', 'Closed connection')), 'x');
    expect(told.message).toContain('TLS or SASL');
  });

  it('leaves our own errors as they are', () => {
    const ours = new DomainError('payload_too_large', 'too large');
    expect(kafkaError(ours, 'x')).toBe(ours);
  });

  it('knows a record that is too large', () => {
    const cause = error('KafkaJSProtocolError', 'too large', { type: 'MESSAGE_TOO_LARGE' });
    expect(isTooLarge(exceeded(cause))).toBe(true);
    expect(isTooLarge(new Error('MESSAGE_TOO_LARGE'))).toBe(false);
  });
});
