import type { SigningPolicy } from '@posthorn/models';
import { prepareJwsSigner } from '@posthorn/signing';
import type { Random } from '@posthorn/runtime';
import { customHeaders } from './custom-headers.ts';
import { embedPayload, payloadId } from './embed.ts';
import { secondsOf, type ComposedRequest, type DialectEnvelope, type Occasion } from './message.ts';
import { oncePer } from './once-per.ts';

/** The event that asks a receiver to call the URL in it. */
export const verifyEventType = 'webhook.verify';

/** Receivers may refuse a longer JWT. */
const longestJwtBytes = 8192;

const signerOf = oncePer(({ policy, key }: SigningPolicy) =>
  prepareJwsSigner({ algorithm: policy.algorithm, keyId: policy.name, key }),
);

export interface XurrentEnvelopeOptions {
  /** What the account's URL is where the organisation has none of its own. */
  readonly publicUrl: () => string;
  readonly random: Random;
}

/** `{"jwt":…}` where the endpoint has a policy, with new iat, nbf and jti on every attempt; else the data alone. */
export function createXurrentEnvelope({ publicUrl, random }: XurrentEnvelopeOptions): DialectEnvelope {
  function dataOf({ event, target, organisation }: Occasion): Buffer {
    const { endpoint } = target;
    const account = organisation.accountUrl ?? publicUrl();
    const head =
      `{"webhook_id":${endpoint.number},"account_id":${JSON.stringify(organisation.slug)},` +
      `"account":${JSON.stringify(account)},"name":${JSON.stringify(endpoint.name)},` +
      `"event":${JSON.stringify(event.type)},"object_id":${objectId({ event, target })},"payload":`;
    return embedPayload(head, event.payload, '}');
  }

  function claimsOf(occasion: Occasion, { policy }: SigningPolicy): Buffer {
    const { target, organisation, at } = occasion;
    const seconds = secondsOf(at);
    const registered = {
      jti: Buffer.from(random.bytes(32)).toString('hex'),
      sub: String(target.endpoint.number),
      iss: organisation.accountUrl ?? publicUrl(),
      nbf: seconds,
      iat: seconds,
      ...(policy.audience !== null && { aud: policy.audience }),
      ...(policy.expiresInMinutes !== null && { exp: seconds + policy.expiresInMinutes * 60 }),
    };
    return embedPayload('{"data":', dataOf(occasion), `,${JSON.stringify(registered).slice(1)}`);
  }

  function signed(occasion: Occasion): Pick<ComposedRequest, 'body' | 'signature' | 'remark'> {
    const policy = policyOf(occasion);
    if (policy === null) return { body: dataOf(occasion), signature: null };
    const jwt = signerOf(policy).sign(claimsOf(occasion, policy));
    return {
      body: Buffer.from(`{"jwt":"${jwt}"}`),
      signature: jwt.slice(jwt.lastIndexOf('.') + 1) || null,
      ...(jwt.length > longestJwtBytes && {
        remark: `The JSON Web Token has ${jwt.length} bytes; receivers may refuse one of more than ${longestJwtBytes}.`,
      }),
    };
  }

  return {
    compose(occasion) {
      const { delivery, target } = occasion;
      return {
        url: target.endpoint.url,
        userAgent: '4me/1.0 (https://developer.4me.com/v1/webhooks)',
        headers: [
          'Content-Type',
          'application/json; charset=utf-8',
          'X-4me-Delivery',
          delivery.id,
          'X-Xurrent-Delivery',
          delivery.id,
          ...customHeaders(target.endpoint),
        ],
        ...signed(occasion),
      };
    },
    body: dataOf,
  };
}

function policyOf({ target, policies }: Occasion): SigningPolicy | null {
  const { id, policyId } = target.endpoint;
  if (policyId === null) return null;
  const policy = policies.get(policyId);
  if (policy === undefined) throw new Error(`the policy of endpoint ${id} is not known`);
  return policy;
}

/** What the event is about, as JSON text: the webhook itself when it is verified, else the payload's id. */
function objectId({ event, target }: Pick<Occasion, 'event' | 'target'>): string {
  return event.type === verifyEventType
    ? String(target.endpoint.number)
    : (payloadId(event.payload) ?? 'null');
}
