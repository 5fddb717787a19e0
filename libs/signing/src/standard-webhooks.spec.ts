import type { Secret, SignatureScheme } from '@posthorn/models';
import { Webhook } from 'standardwebhooks';
import { prepareSigner } from './standard-webhooks.ts';

const createdAt = new Date('2026-01-01T00:00:00Z');

function secret(text: string, changes: Partial<Secret> = {}): Secret {
  return {
    scheme: text.startsWith('whsk_') ? 'v1a' : 'v1',
    secret: text,
    createdAt,
    expiresAt: null,
    ...changes,
  };
}

function sign(secrets: Secret[], schemes: SignatureScheme[], body = '{"test": 2432232314}'): string {
  return prepareSigner(secrets, schemes).sign('msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, [
    Buffer.from(body),
  ]);
}

const v1 = secret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
const v1Signature = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
const v1a = secret('whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=');
const v1aSignature =
  'v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==';

describe('prepareSigner', () => {
  it('gives the v1 signature of the test vector of the Standard Webhooks libraries', () => {
    expect(sign([v1], ['v1'])).toBe(v1Signature);
  });

  it('gives the v1a signature of the test vector of the Standard Webhooks libraries', () => {
    expect(sign([v1a], ['v1a'])).toBe(v1aSignature);
  });

  it('signs with both schemes side by side, v1 first', () => {
    expect(sign([v1a, v1], ['v1a', 'v1'])).toBe(`${v1Signature} ${v1aSignature}`);
  });

  it('uses no secret of a scheme that the endpoint does not sign with', () => {
    expect(sign([v1, v1a], ['v1'])).toBe(v1Signature);
  });

  it('signs with every live secret of a rotation, the newest first', () => {
    const newer = secret('whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX', {
      createdAt: new Date('2026-02-01T00:00:00Z'),
    });
    const header = sign([v1, newer], ['v1']);
    expect(header).toBe(`${sign([newer], ['v1'])} ${v1Signature}`);
  });

  it('leaves a secret out from the second in which it expires', () => {
    const signer = prepareSigner([secret(v1.secret, { expiresAt: new Date(1_614_265_330_000) })], ['v1']);
    expect(signer.sign('a', 1614265329, [])).toMatch(/^v1,/);
    expect(signer.sign('a', 1614265330, [])).toBe('');
  });

  it('signs a body in pieces as the body in one', () => {
    const pieces = ['{"test":', '', ' 2432232314}'].map((piece) => Buffer.from(piece));
    const signer = prepareSigner([v1, v1a], ['v1', 'v1a']);
    expect(signer.sign('msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, pieces)).toBe(
      `${v1Signature} ${v1aSignature}`,
    );
  });

  it('signs what the npm package standardwebhooks signs', () => {
    const body = JSON.stringify({ name: 'Zoë 🎺', text: '\u0000\\' });
    const expected = new Webhook(v1.secret).sign('msg_1', new Date(1_767_225_600_999), body);
    expect(prepareSigner([v1], ['v1']).sign('msg_1', 1_767_225_600, [Buffer.from(body)])).toBe(expected);
  });

  it('refuses a secret of the wrong format without repeating it', () => {
    expect(() => prepareSigner([secret('whsec_c2hvcnQ')], ['v1'])).toThrow(/24 to 64 bytes/);
    expect(() => prepareSigner([secret('whsec_c2hvcnQ')], ['v1'])).not.toThrow(/c2hvcnQ/);
  });
});
