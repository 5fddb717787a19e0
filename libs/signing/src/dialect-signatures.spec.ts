import type { Secret } from '@posthorn/models';
import { Webhook } from 'standardwebhooks';
import { liveSecret } from './live-secret.ts';
import { signPreo } from './preo.ts';
import { signRicloud } from './ricloud.ts';
import { prepareTextSigner } from './standard-webhooks.ts';
import { textKey } from './text-key.ts';

const day = (number: number): Date => new Date(Date.UTC(2026, 0, number));

function secret(text: string, changes: Partial<Secret> = {}): Secret {
  return { scheme: 'text', secret: text, createdAt: day(1), expiresAt: null, ...changes };
}

describe('ricloud', () => {
  const body =
    '{"id":"7b6f6f0e-0d1f-4a57-8a7e-1d8b3f6f2a10","resource":"event","type":"webhook_config","action":"test"}';

  it('signs as the vector of its contract says: t, a comma without a space, s', () => {
    expect(signRicloud(textKey('top-secret'), 1700000000, [Buffer.from(body)])).toBe(
      't=1700000000,s=UpUB21bNvS559MNrP6+nW0gbYlqbwk5eC1csxHiXb1Y=',
    );
  });

  it('signs pieces of a body as the whole', () => {
    const key = textKey('top-secret');
    const pieces = [Buffer.from(body.slice(0, 30)), Buffer.from(body.slice(30))];

    expect(signRicloud(key, 1700000000, pieces)).toBe(signRicloud(key, 1700000000, [Buffer.from(body)]));
  });

  it('signs another second differently', () => {
    const key = textKey('top-secret');

    expect(signRicloud(key, 1700000001, [])).not.toBe(signRicloud(key, 1700000000, []).replace('00,', '01,'));
  });
});

describe('rapidly', () => {
  const text = 'rapidly_whs_ovyN6cPrTv56AApvzCaJno08SSmGJmgbWilb33N2JuK';
  const id = '5c0a1c0e-2b1e-4c1f-9a53-2f6f4e0c9d11';
  const body = '{"type":"share.created","timestamp":"2026-06-06T18:39:00Z","data":{}}';

  it('signs as the vector of its contract says: the key is the whole secret, prefix and all', () => {
    expect(prepareTextSigner([secret(text)]).sign(id, 1700000000, [Buffer.from(body)])).toBe(
      'v1,5AlyRyHAHnQssJJ8NicuukTCekqyPXjNUXyjZOjv2vw=',
    );
  });

  it('signs as the library of Standard Webhooks does with the bytes of the text', () => {
    const given = 'any text that an owner brought along: ünïcode';
    const seconds = 1_767_225_600;
    const webhook = new Webhook(Buffer.from(given).toString('base64'));

    expect(prepareTextSigner([secret(given)]).sign(id, seconds, [Buffer.from(body)])).toBe(
      webhook.sign(id, new Date(seconds * 1000), body),
    );
  });

  it('takes no secret of another scheme', () => {
    const other: Secret = { ...secret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'), scheme: 'v1' };

    expect(prepareTextSigner([other]).sign(id, 1700000000, [])).toBe('');
  });
});

describe('preo', () => {
  it('signs the body alone, in lower-case hex', () => {
    // RFC 4231, test case 2.
    expect(signPreo(textKey('Jefe'), [Buffer.from('what do ya want '), Buffer.from('for nothing?')])).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
  });
});

describe('liveSecret', () => {
  it('is the newest that has not expired', () => {
    const old = secret('old', { expiresAt: day(3) });
    const current = secret('current', { createdAt: day(2) });

    expect(liveSecret([current, old], day(2))).toBe(current);
    expect(liveSecret([old, current], day(4))).toBe(current);
  });

  it('is none when all have expired, to the millisecond', () => {
    const old = secret('old', { expiresAt: day(3) });

    expect(liveSecret([old], new Date(day(3).getTime() - 1))).toBe(old);
    expect(liveSecret([old], day(3))).toBeUndefined();
  });
});
