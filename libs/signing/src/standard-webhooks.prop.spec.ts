import { signatureSchemes } from '@posthorn/models';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { checkSecret, decodeSecret, generateSecret, publicKeyOf } from './secret-format.ts';
import { prepareSigner } from './standard-webhooks.ts';
import { verify } from './verify.ts';

const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
const seconds = fc.integer({ min: 1, max: 4_000_000_000 });
const body = fc.uint8Array({ maxLength: 300 });
const seed = fc.uint8Array({ minLength: 32, maxLength: 32 });

const secretOf = (scheme: 'v1' | 'v1a', bytes: Uint8Array) => ({
  scheme,
  secret: generateSecret(scheme, () => bytes),
  createdAt: new Date(0),
  expiresAt: null,
});

describe('Standard Webhooks', () => {
  it('verifies whatever it signed, with every secret, however the body was cut', () => {
    fc.assert(
      fc.property(
        id,
        seconds,
        body,
        fc.nat(),
        seed,
        seed,
        (webhookId, timestamp, bytes, cut, first, second) => {
          const secrets = [secretOf('v1', first), secretOf('v1', second), secretOf('v1a', first)];
          const at = cut % (bytes.length + 1);
          const pieces = [bytes.subarray(0, at), bytes.subarray(at)];
          const headers = {
            'webhook-id': webhookId,
            'webhook-timestamp': String(timestamp),
            'webhook-signature': prepareSigner(secrets, signatureSchemes).sign(webhookId, timestamp, pieces),
          };
          for (const { scheme, secret } of secrets) {
            const trusted = scheme === 'v1' ? secret : publicKeyOf(secret);
            const result = verify({ headers, body: bytes }, { secrets: [trusted], nowSeconds: timestamp });
            expect(result.valid).toBe(true);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('signs any text as the npm package does', () => {
    fc.assert(
      fc.property(id, seconds, fc.string({ unit: 'grapheme' }), seed, (webhookId, timestamp, text, bytes) => {
        const secret = secretOf('v1', bytes);
        const ours = prepareSigner([secret], ['v1']).sign(webhookId, timestamp, [Buffer.from(text)]);
        expect(ours).toBe(new Webhook(secret.secret).sign(webhookId, new Date(timestamp * 1000), text));
      }),
    );
  });

  it('reads back the bytes of any secret, padded or not', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 24, maxLength: 64 }), fc.boolean(), (bytes, isPadded) => {
        const padded = generateSecret('v1', () => bytes);
        const text = isPadded ? padded : padded.replace(/=+$/, '');
        expect(checkSecret(text, 'v1')).toEqual([]);
        expect(new Uint8Array(decodeSecret(text, 'whsec').bytes)).toEqual(bytes);
      }),
    );
  });

  it('never throws at a text that is no secret', () => {
    fc.assert(
      fc.property(fc.constantFrom('', 'whsec_', 'whsk_'), fc.string(), (prefix, text) => {
        expect(checkSecret(prefix + text, 'v1a').length).toBe(1);
      }),
    );
  });
});
