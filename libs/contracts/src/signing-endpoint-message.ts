import type { SigningEndpoint } from '@posthorn/models';
import type * as configV1 from './config-v1.ts';
import { endpointFromMessage, endpointToMessage } from './endpoint-message.ts';
import { required } from './required.ts';
import { secretFromMessage, secretToMessage } from './secret-message.ts';

/** An endpoint with its secrets as a message: for services only, never for a tenant. */
export function signingEndpointToMessage(signing: SigningEndpoint): configV1.SigningEndpoint {
  return {
    endpoint: endpointToMessage(signing.endpoint),
    secrets: signing.secrets.map((secret) => secretToMessage(secret)),
    verificationCallbackPath: signing.verificationCallbackPath ?? undefined,
  };
}

/** An endpoint with its secrets of a message. Throws `invalid_argument` when something is unspecified. */
export function signingEndpointFromMessage(message: configV1.SigningEndpoint): SigningEndpoint {
  return {
    endpoint: endpointFromMessage(required(message.endpoint, '/endpoint')),
    secrets: message.secrets.map(secretFromMessage),
    verificationCallbackPath: message.verificationCallbackPath ?? null,
  };
}
