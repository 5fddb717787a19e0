import type { KeyObject } from 'node:crypto';
import type { Secret, SigningEndpoint } from '@posthorn/models';
import { liveSecret, textKey } from '@posthorn/signing';
import { oncePer } from './once-per.ts';

const keyOf = oncePer(({ secret }: Secret) => textKey(secret));

/** The key of the secret that signs at a time, where a request carries one signature only. */
export function currentTextKey({ endpoint, secrets }: SigningEndpoint, at: Date): KeyObject {
  const secret = liveSecret(secrets, at);
  if (secret === undefined) throw new Error(`endpoint ${endpoint.id} has no live secret`);
  return keyOf(secret);
}
