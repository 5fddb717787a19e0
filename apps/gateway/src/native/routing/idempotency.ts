/**
 * `Idempotency-Key` on POST: the first answer is kept for 24 hours and given again to the same request, without the
 * secret that it showed; the same key with another request is refused. Publishing has its own (event-ingest).
 *
 * What is kept: answers that say that something was done. What frees the key: a refusal, which changed nothing, and
 * `unavailable`. When it isn't known whether something was done (a deadline, a fault of ours), the key stays reserved until the
 * reservation runs out, so that a quick repetition can't do it twice.
 */
import { createHash } from 'node:crypto';
import { DomainError, type Violation } from '@posthorn/models';
import type { CallOptions } from '@posthorn/rpc';
import type { Logger } from '@posthorn/runtime';
import type { GatewayClients } from '../../clients.ts';
import { gatewayPrincipal } from '../../gateway-principal.ts';
import type { Answer } from './route.ts';

/** Whose key it is where it isn't an organisation's. */
const operatorOwner = 'operator';

const keyText = /^[\x20-\x7e]{1,255}$/;

/** One request with an Idempotency-Key. */
export interface KeyedRequest {
  readonly key: string;
  readonly method: string;
  /** The path as it was sent. */
  readonly path: string;
  readonly body: Uint8Array;
  /** The organisation that the request is about; part of what makes two requests the same. */
  readonly organisationId: string | null;
  readonly rpc: CallOptions;
  /** Takes out of an answer's body what is shown only once. */
  readonly redact: ((body: unknown) => unknown) | undefined;
  readonly carryOut: () => Promise<Answer>;
}

/** Carries a request out once. */
export type CarryOutOnce = (request: KeyedRequest) => Promise<Answer>;

/** What is wrong with an Idempotency-Key header. */
export function checkIdempotencyKey(key: string | undefined): readonly Violation[] {
  if (key === undefined || keyText.test(key)) return [];
  const message = 'An idempotency key is 1 to 255 characters of printable ASCII.';
  return [{ field: '?Idempotency-Key', code: 'invalid_format', message }];
}

export function createIdempotency(client: GatewayClients['idempotency'], logger: Logger): CarryOutOnce {
  return async (request) => {
    const { key } = request;
    const owner = request.rpc.principal.organisationId ?? operatorOwner;
    // Keeping answers is the gateway's own business: no key may read what another was answered.
    const rpc: CallOptions = { ...request.rpc, principal: gatewayPrincipal };
    const { answer, inProgress, reservation } = await client.reserve(
      { owner, key, digest: digestOf(request) },
      rpc,
    );
    if (answer !== undefined) return replay(answer);
    if (inProgress) {
      throw new DomainError(
        'failed_precondition',
        'A request with this Idempotency-Key is being carried out.',
        {
          retryAfterMs: 1_000,
        },
      );
    }
    // The outcome is on its way to the caller whether or not it could be kept.
    const complete = (done: Answer | undefined): Promise<void> =>
      client
        .complete({ owner, key, reservation, answer: done && toStored(done, request.redact) }, rpc)
        .then(() => undefined)
        .catch((error: unknown) => logger.warn({ err: error }, 'an idempotent answer could not be kept'));
    try {
      const done = await request.carryOut();
      await complete(done);
      return done;
    } catch (error) {
      if (changedNothing(DomainError.from(error))) await complete(undefined);
      throw error;
    }
  };
}

function changedNothing(error: DomainError): boolean {
  return error.code !== 'deadline_exceeded' && error.code !== 'internal';
}

function digestOf({ method, path, organisationId, body }: KeyedRequest): Buffer {
  return createHash('sha256')
    .update(`${method} ${path}\n${organisationId ?? ''}\n`)
    .update(body)
    .digest();
}

interface StoredAnswer {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array;
}

function toStored(answer: Answer, redact: KeyedRequest['redact']): StoredAnswer {
  const body = redact === undefined ? answer.body : redact(answer.body);
  return {
    status: answer.status,
    headers: { ...answer.headers },
    body: body === undefined ? new Uint8Array() : Buffer.from(JSON.stringify(body), 'utf8'),
  };
}

function replay(stored: StoredAnswer): Answer {
  return {
    status: stored.status,
    ...(stored.body.length > 0 && { bytes: stored.body }),
    headers: { ...stored.headers, 'Idempotency-Replayed': 'true' },
  };
}
