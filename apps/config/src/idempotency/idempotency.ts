import { configV1 } from '@posthorn/contracts';
import { DomainError, newId, type Violation } from '@posthorn/models';
import { defineService, type ServiceRegistration } from '@posthorn/rpc';
import type { Clock, Random } from '@posthorn/runtime';
import { requireService } from '../authority.ts';
import type { Answer, IdempotencyStore } from './idempotency-store.ts';
import { refuseIfAny } from '../violations.ts';

/**
 * IdempotencyService: one request, one answer, for 24 hours. A reservation whose holder doesn't come back within a minute
 * is given to the next caller, who carries the request out again: after a crash of the gateway in between, a request may
 * be carried out twice.
 */

export const answerLifetimeMs = 24 * 60 * 60 * 1000;
export const takeoverAfterMs = 60 * 1000;

const maxOwnerLength = 64;
const maxKeyLength = 255;
const digestBytes = 32;
const maxAnswerBytes = 256 * 1024;

export interface IdempotencyDependencies {
  readonly store: IdempotencyStore;
  readonly clock: Clock;
  readonly random: Random;
}

export function createIdempotencyService({
  store,
  clock,
  random,
}: IdempotencyDependencies): ServiceRegistration<typeof configV1.IdempotencyServiceService> {
  return defineService(configV1.IdempotencyServiceService, {
    async reserve({ owner, key, digest }, { principal }) {
      requireService(principal);
      refuseIfAny([
        ...checkKey(owner, key),
        ...(digest.length === digestBytes
          ? []
          : [outOfRange('/digest', `This must have ${digestBytes} bytes.`)]),
      ]);
      const nowMs = clock.now();
      const reservation = newId(nowMs, (count) => random.bytes(count));
      const result = await store.reserve({
        owner,
        key,
        digest,
        reservation,
        now: new Date(nowMs),
        expiresAt: new Date(nowMs + answerLifetimeMs),
        staleBefore: new Date(nowMs - takeoverAfterMs),
      });
      switch (result.outcome) {
        case 'reserved':
          return { answer: undefined, inProgress: false, reservation };
        case 'in_progress':
          return { answer: undefined, inProgress: true, reservation: '' };
        case 'answered':
          return { answer: toMessage(result.answer), inProgress: false, reservation: '' };
        case 'mismatch':
          throw new DomainError('idempotency_mismatch', 'The idempotency key was used with another request.');
      }
    },

    async complete({ owner, key, answer, reservation }, { principal }) {
      requireService(principal);
      refuseIfAny(checkKey(owner, key));
      if (answer !== undefined && sizeOf(answer) > maxAnswerBytes) {
        throw new DomainError(
          'payload_too_large',
          `Answers of more than ${maxAnswerBytes} bytes aren't kept.`,
        );
      }
      await store.complete({ owner, key, reservation, answer: answer ?? null });
      return {};
    },
  });
}

function checkKey(owner: string, key: string): readonly Violation[] {
  return [...checkLength('/owner', owner, maxOwnerLength), ...checkLength('/key', key, maxKeyLength)];
}

function checkLength(field: string, text: string, max: number): readonly Violation[] {
  if (text.length >= 1 && text.length <= max) return [];
  return [outOfRange(field, `This must have 1 to ${max} characters.`)];
}

function outOfRange(field: string, message: string): Violation {
  return { field, code: 'out_of_range', message };
}

function sizeOf({ headers, body }: configV1.StoredAnswer): number {
  return Object.entries(headers).reduce(
    (sum, [name, value]) => sum + name.length + value.length,
    body.length,
  );
}

function toMessage({ status, headers, body }: Answer): configV1.StoredAnswer {
  return { status, headers: { ...headers }, body };
}
