import type { Secret } from '@posthorn/models';
import { generateSecret, publicKeyOf } from './secret-format.ts';
import { prepareSigner } from './standard-webhooks.ts';
import { verify, type Verification, type WebhookRequest } from './verify.ts';

const now = 1_767_225_600;
const body = Buffer.from('{"type":"order.paid"}');
const shared = generateSecret('v1', (count) => new Uint8Array(count).fill(1));
const other = generateSecret('v1', (count) => new Uint8Array(count).fill(2));
const privateKey = generateSecret('v1a', (count) => new Uint8Array(count).fill(3));

function request(texts: string[] = [shared], timestampSeconds = now): WebhookRequest {
  const secrets = texts.map((secret): Secret => ({
    scheme: secret.startsWith('whsk_') ? 'v1a' : 'v1',
    secret,
    createdAt: new Date(0),
    expiresAt: null,
  }));
  const signature = prepareSigner(secrets, ['v1', 'v1a']).sign('msg_1', timestampSeconds, [body]);
  return {
    headers: {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(timestampSeconds),
      'webhook-signature': signature,
    },
    body,
  };
}

const check = (incoming: WebhookRequest, secrets = [shared]): Verification =>
  verify(incoming, { secrets, nowSeconds: now });
const reasonOf = (result: Verification): string => (result.valid ? 'valid' : result.reason);

describe('verify', () => {
  it('accepts what was signed with the secret', () => {
    expect(check(request())).toEqual({ valid: true, id: 'msg_1', timestampSeconds: now });
  });

  it('accepts one fitting signature among several, and one fitting secret among several', () => {
    expect(check(request([other, shared])).valid).toBe(true);
    expect(check(request([shared]), [other, shared]).valid).toBe(true);
  });

  it('accepts v1a by the public key and by the private one', () => {
    expect(check(request([privateKey]), [publicKeyOf(privateKey)]).valid).toBe(true);
    expect(check(request([privateKey]), [privateKey]).valid).toBe(true);
  });

  it('refuses another body, id, timestamp or secret', () => {
    const good = request([shared, privateKey]);
    const trusted = [shared, publicKeyOf(privateKey)];
    const changed = (headers: Record<string, string>): WebhookRequest => ({
      ...good,
      headers: { ...good.headers, ...headers },
    });
    expect(reasonOf(check({ ...good, body: Buffer.from('{}') }, trusted))).toBe('no_matching_signature');
    expect(reasonOf(check(changed({ 'webhook-id': 'msg_2' }), trusted))).toBe('no_matching_signature');
    expect(reasonOf(check(changed({ 'webhook-timestamp': String(now - 1) }), trusted))).toBe(
      'no_matching_signature',
    );
    expect(reasonOf(check(good, [other]))).toBe('no_matching_signature');
  });

  it('refuses a signature under the identifier of another scheme', () => {
    const good = request([shared]);
    const renamed = String(good.headers['webhook-signature']).replace('v1,', 'v1a,');
    const headers = { ...good.headers, 'webhook-signature': renamed };
    expect(reasonOf(check({ ...good, headers }, [shared, publicKeyOf(privateKey)]))).toBe(
      'no_matching_signature',
    );
  });

  it.each(['', 'v1', 'v1,', 'v1,AAAA', 'v1a,AAAA', ', ,', '🎺'])(
    'refuses the signature "%s"',
    (signature) => {
      const headers = { ...request().headers, 'webhook-signature': signature };
      expect(check({ body, headers }, [shared, privateKey]).valid).toBe(false);
    },
  );

  it('accepts a timestamp at the edge of the tolerance and refuses one beyond it', () => {
    expect(reasonOf(check(request([shared], now - 300)))).toBe('valid');
    expect(reasonOf(check(request([shared], now - 301)))).toBe('timestamp_too_old');
    expect(reasonOf(check(request([shared], now + 300)))).toBe('valid');
    expect(reasonOf(check(request([shared], now + 301)))).toBe('timestamp_too_new');
  });

  it.each(['', 'tomorrow', '-1', '1e9', '1.5', 'Infinity', '9'.repeat(40)])(
    'refuses the timestamp "%s"',
    (timestamp) => {
      const headers = { ...request().headers, 'webhook-timestamp': timestamp };
      expect(check({ body, headers }).valid).toBe(false);
    },
  );

  it('refuses a request that lacks a header or has it twice', () => {
    const { headers } = request();
    expect(reasonOf(check({ body, headers: { ...headers, 'webhook-id': undefined } }))).toBe(
      'missing_header',
    );
    expect(reasonOf(check({ body, headers: { ...headers, 'webhook-id': ['a', 'b'] } }))).toBe(
      'missing_header',
    );
  });

  it('throws for a malformed secret even when another one fits', () => {
    expect(() => check(request(), [shared, 'whsec_'])).toThrow(/24 to 64 bytes/);
  });
});
