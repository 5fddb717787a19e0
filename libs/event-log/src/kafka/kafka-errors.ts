import { DomainError } from '@posthorn/models';

/** What went wrong, as kafkajs and the network say it: an error and its causes, outermost first. */
interface Story {
  readonly name: string;
  readonly message: string;
  /** Of the network or of OpenSSL: `ECONNREFUSED`, `SELF_SIGNED_CERT_IN_CHAIN`. */
  readonly code: string | undefined;
  /** Of Kafka's protocol: `TOPIC_AUTHORIZATION_FAILED`. */
  readonly type: string | undefined;
}

const retryAfterMs = 1000;
const saslTypes = new Set(['SASL_AUTHENTICATION_FAILED', 'UNSUPPORTED_SASL_MECHANISM', 'ILLEGAL_SASL_STATE']);
const tlsCode = /^(ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH|EPROTO)/;

/**
 * What Kafka answered, in words for an operator. `failed_precondition`: waiting doesn't help, something has to be changed
 * (credentials, certificates, rights). `unavailable`: it may be there in a moment.
 */
export function kafkaError(error: unknown, action: string): DomainError {
  if (error instanceof DomainError) return error;
  const stories = storiesOf(error);
  const refused = (message: string): DomainError =>
    new DomainError('failed_precondition', `${action}: ${message}`, { cause: error });

  const sasl = stories.find(
    ({ name, type }) =>
      name === 'KafkaJSSASLAuthenticationError' || (type !== undefined && saslTypes.has(type)),
  );
  if (sasl) return refused(`Kafka refused the credentials. ${sasl.message}`);
  const tls = stories.find(({ code }) => code !== undefined && tlsCode.test(code));
  if (tls) return refused(`the TLS connection to Kafka isn't trusted or isn't TLS. ${tls.message}`);
  const rights = stories.find(({ type }) => type?.endsWith('_AUTHORIZATION_FAILED'));
  if (rights) return refused(`Kafka's access rules don't allow it. ${rights.message}`);

  const innermost = stories.at(-1);
  const closed = stories.some(({ name }) => name === 'KafkaJSConnectionClosedError');
  const hint = closed ? " (a broker that wants TLS or SASL ends a connection that doesn't use it)" : '';
  return new DomainError('unavailable', `${action}: ${innermost?.message ?? 'Kafka is away'}${hint}`, {
    retryAfterMs,
    cause: error,
  });
}

/** Whether a record was refused for its size. */
export function isTooLarge(error: unknown): boolean {
  return storiesOf(error).some(
    ({ type }) => type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE',
  );
}

/** Whether the topic isn't there. */
export function isUnknownTopic(error: unknown): boolean {
  return storiesOf(error).some(({ type }) => type === 'UNKNOWN_TOPIC_OR_PARTITION');
}

function storiesOf(error: unknown): Story[] {
  const stories: Story[] = [];
  for (let at: unknown = error; at instanceof Error && stories.length < 10; at = reasonOf(at)) {
    stories.push({
      name: at.name,
      message: at.message,
      code: 'code' in at && typeof at.code === 'string' ? at.code : undefined,
      type: 'type' in at && typeof at.type === 'string' ? at.type : undefined,
    });
  }
  return stories;
}

/** Of several errors at once the first one: they were all about the one topic. */
function reasonOf(error: Error): unknown {
  return 'errors' in error && Array.isArray(error.errors) ? error.errors[0] : error.cause;
}
