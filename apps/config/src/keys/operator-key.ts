import {
  apiTokenBytes,
  DomainError,
  newApiToken,
  noPublishLimits,
  tokenPrefix,
  type ApiKey,
} from '@posthorn/models';
import type { Clock, Random } from '@posthorn/runtime';
import { hashToken } from './hash-token.ts';
import type { KeyStore } from './key-store.ts';

/**
 * The first key of a deployment. These two have ids of their own, so that every process that starts means the same ones,
 * and exactly one of several that start at once for the first time makes the key.
 */
const configuredKeyId = '00000000-0000-4000-8000-000000000001';
const generatedKeyId = '00000000-0000-4000-8000-000000000002';

const minOperatorKeyLength = 32;

export interface OperatorKeyDependencies {
  readonly store: KeyStore;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Makes sure that there is an operator key. With a configured token it is that one, and the one that was configured
 * before stops working. Without, one is made when there is no operator key at all, and its token is in the answer: print
 * it, it is shown this once. `failed_precondition` when the configured token is too short or belongs to a tenant.
 */
export async function ensureOperatorKey(
  configured: string | undefined,
  { store, clock, random }: OperatorKeyDependencies,
): Promise<{ readonly token?: string }> {
  const operatorKey = (id: string, name: string, token: string): ApiKey => ({
    id,
    name,
    prefix: tokenPrefix(token),
    scopes: ['*'],
    organisationId: null,
    routesTo: null,
    endpointId: null,
    limits: noPublishLimits,
    expiresAt: null,
    lastUsedAt: null,
    createdAt: new Date(clock.now()),
  });

  if (configured !== undefined) {
    if (configured.length < minOperatorKeyLength) {
      const message = `The operator key must have at least ${minOperatorKeyLength} characters.`;
      throw new DomainError('failed_precondition', message);
    }
    const tokenSha256 = hashToken(configured);
    const present = await store.findByToken(tokenSha256);
    if (present === null) {
      await store.put({
        key: operatorKey(configuredKeyId, 'configured operator key', configured),
        tokenSha256,
      });
    } else if (present.organisationId !== null) {
      const message =
        'The configured operator key is the token of a key that belongs to an organisation; choose another.';
      throw new DomainError('failed_precondition', message);
    } else if (present.id !== configuredKeyId) {
      // The token was made here as a key of its own; what was configured before must still stop working.
      await store.delete(configuredKeyId);
    }
    return {};
  }

  const [anyOperatorKey] = await store.list({ owner: 'operator', limit: 1, beforeId: null });
  if (anyOperatorKey !== undefined) return {};
  const token = newApiToken(random.bytes(apiTokenBytes));
  try {
    const key = operatorKey(generatedKeyId, 'first operator key', token);
    await store.insert({ key, tokenSha256: hashToken(token) }, Infinity);
    return { token };
  } catch (error) {
    // Another process was first: it prints its token.
    if (DomainError.from(error).code === 'already_exists') return {};
    throw error;
  }
}
