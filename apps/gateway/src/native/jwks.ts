import { createPublicKey } from 'node:crypto';
import { policyAlgorithmTable } from '@posthorn/contracts';
import { DomainError } from '@posthorn/models';
import type { GatewayClients } from '../clients.ts';
import { gatewayPrincipal } from '../gateway-principal.ts';
import type { OpenRoute } from './routing/open-route.ts';
import { answerSchema } from './routing/schema.ts';

/** A public key (RFC 7517), with the parameters that its type has (RFC 7518, section 6). */
interface PublicJwk {
  readonly kty: string;
  readonly kid: string;
  readonly alg: string;
  readonly use: 'sig';
  readonly n?: string;
  readonly e?: string;
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
}

interface JwkSet {
  readonly keys: readonly PublicJwk[];
}

const text = { type: 'string' } as const;

const jwkSchema = answerSchema<PublicJwk>('PublicJwk', {
  description: 'A public key by RFC 7517.',
  properties: {
    kty: { type: 'string', enum: ['RSA', 'EC'] },
    kid: { type: 'string', description: 'The name of the policy.' },
    alg: text,
    use: { const: 'sig' },
    n: text,
    e: text,
    crv: text,
    x: text,
    y: text,
  },
  optional: ['n', 'e', 'crv', 'x', 'y'],
});

const jwkSetSchema = answerSchema<JwkSet>('JwkSet', {
  properties: { keys: { type: 'array', items: jwkSchema } },
});

/**
 * Public keys as a JWK Set. Without a `kid` it lists the deployment's own keys, of which there are none so far: those of policies are
 * shown to whoever names one, so that no tenant's can be counted.
 */
export function jwksRoute({ policies }: Pick<GatewayClients, 'policies'>): OpenRoute {
  async function keyOf(kid: string, requestId: string): Promise<PublicJwk | null> {
    try {
      const rpc = { principal: gatewayPrincipal, requestId };
      const { algorithm, publicKeyPem } = await policies.getPublicKey({ name: kid }, rpc);
      const alg = policyAlgorithmTable.fromMessage(algorithm, '/algorithm').toUpperCase();
      const { kty = '', n, e, crv, x, y } = createPublicKey(publicKeyPem).export({ format: 'jwk' });
      const parameters = Object.entries({ n, e, crv, x, y }).filter(([, value]) => value !== undefined);
      return { kty, kid, alg, use: 'sig', ...Object.fromEntries(parameters) };
    } catch (error) {
      if (DomainError.from(error).code === 'not_found') return null;
      throw error;
    }
  }

  return {
    path: '/.well-known/jwks.json',
    operationId: 'getPublicKeys',
    summary: 'Public keys that verify our signatures',
    description: 'A JWK Set (RFC 7517). The key of a policy is in it when `kid` names that policy.',
    query: {
      kid: { description: 'The name of a policy: the `kid` of the tokens.', schema: { type: 'string' } },
    },
    answers: {
      200: {
        description: 'The keys; none when there is no such key.',
        content: { 'application/jwk-set+json': { schema: jwkSetSchema } },
        headers: { 'Cache-Control': { description: 'How long it stays good.', schema: { type: 'string' } } },
      },
    },
    errors: ['unavailable', 'deadline_exceeded'],
    async answer({ query, requestId }) {
      const kid = query.get('kid') ?? '';
      const key = kid === '' ? null : await keyOf(kid, requestId);
      const body: JwkSet = { keys: key === null ? [] : [key] };
      const headers = { 'Cache-Control': 'public, max-age=300' };
      return { status: 200, body, contentType: 'application/jwk-set+json', headers };
    },
  };
}
