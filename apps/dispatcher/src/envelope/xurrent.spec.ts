import { createSecretKey } from 'node:crypto';
import { jwtVerify } from 'jose';
import type { Policy } from '@posthorn/models';
import { createSeededRandom } from '@posthorn/testing';
import { headerRecord, sampleOccasion, samplePolicy, type OccasionChanges } from './occasion.harness.ts';
import { createXurrentEnvelope } from './xurrent.ts';

const secret = 'a shared secret of sixty-four printable characters: 0123456789abcdef';
const envelope = createXurrentEnvelope({
  publicUrl: () => 'https://posthorn.example',
  random: createSeededRandom(1),
});

function signedOccasion(changes: OccasionChanges = {}, policy: Partial<Policy> = {}) {
  const signing = {
    policy: { ...samplePolicy, ...policy },
    key: policy.algorithm === 'none' ? null : secret,
  };
  return sampleOccasion({
    policies: new Map([[signing.policy.id, signing]]),
    ...changes,
    endpoint: { dialect: 'xurrent', policyId: signing.policy.id, ...changes.endpoint },
  });
}

function jwtOf(body: Buffer): string {
  const { jwt, ...rest }: { jwt: string } = JSON.parse(body.toString());
  expect(rest).toEqual({});
  return jwt;
}

const claimsText = (jwt: string): string => Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString();

const data =
  `{"webhook_id":7,"account_id":"wdc","account":"https://wdc.4me.com","name":"My hook","event":"order.paid",` +
  `"object_id":12345678901234567890,"payload":{ "id": 12345678901234567890, "total": 12.50, "text": "\\u00e9\\/" }}`;

describe('a xurrent delivery', () => {
  it('has its user agent, and its id in two headers', () => {
    const occasion = signedOccasion();
    const { headers, userAgent } = envelope.compose(occasion);

    expect(userAgent).toBe('4me/1.0 (https://developer.4me.com/v1/webhooks)');
    expect(headerRecord(headers)).toEqual({
      'Content-Type': 'application/json; charset=utf-8',
      'X-4me-Delivery': occasion.delivery.id,
      'X-Xurrent-Delivery': occasion.delivery.id,
    });
  });

  it('is the plain data object where the endpoint has no policy', () => {
    const { body, signature } = envelope.compose(sampleOccasion());

    expect(body.toString()).toBe(data);
    expect(signature).toBeNull();
  });

  it('is a JWT of the data and the claims in their order, which jose verifies', async () => {
    const { body } = envelope.compose(
      signedOccasion({}, { audience: 'some audience', expiresInMinutes: 12 }),
    );
    const jwt = jwtOf(body);
    const { payload, protectedHeader } = await jwtVerify(jwt, createSecretKey(secret, 'utf8'), {
      audience: 'some audience',
      issuer: 'https://wdc.4me.com',
      subject: '7',
      currentDate: new Date(1_700_000_000_000),
    });

    expect(protectedHeader).toEqual({ typ: 'JWT', alg: 'HS256', kid: samplePolicy.name });
    expect(payload.jti).toMatch(/^[0-9a-f]{64}$/);
    expect(claimsText(jwt)).toBe(
      `{"data":${data},"jti":"${payload.jti}","sub":"7","iss":"https://wdc.4me.com",` +
        `"nbf":1700000000,"iat":1700000000,"aud":"some audience","exp":1700000720}`,
    );
  });

  it('has no aud and no exp where the policy sets none', () => {
    const claims: unknown = JSON.parse(claimsText(jwtOf(envelope.compose(signedOccasion()).body)));

    expect(claims).not.toHaveProperty('aud');
    expect(claims).not.toHaveProperty('exp');
  });

  it('ends with a full stop where the algorithm is none', () => {
    const { body, signature } = envelope.compose(signedOccasion({}, { algorithm: 'none' }));

    expect(jwtOf(body)).toMatch(/^[\w-]+\.[\w-]+\.$/);
    expect(signature).toBeNull();
  });

  it('has new iat, nbf and jti on every attempt', () => {
    const claimsAt = (at: Date): Record<string, unknown> =>
      JSON.parse(claimsText(jwtOf(envelope.compose(signedOccasion({ at })).body)));
    const first = claimsAt(new Date(1_700_000_000_000));
    const second = claimsAt(new Date(1_700_000_060_000));

    expect(second).toMatchObject({ iat: 1700000060, nbf: 1700000060 });
    expect(second['jti']).not.toBe(first['jti']);
  });

  it('keeps signing with a policy that was disabled', () => {
    expect(envelope.compose(signedOccasion({}, { disabled: true })).signature).not.toBeNull();
  });

  it('is about the webhook itself when it verifies it', () => {
    const event = {
      type: 'webhook.verify',
      payload: Buffer.from('{"callback":"https://posthorn.example/c"}'),
    };
    const { body } = envelope.compose(sampleOccasion({ event }));

    expect(JSON.parse(body.toString())).toMatchObject({ event: 'webhook.verify', object_id: 7 });
  });

  it('names our own URL where the organisation has no account URL', () => {
    const { body } = envelope.compose(signedOccasion({ organisation: { accountUrl: null } }));

    expect(JSON.parse(claimsText(jwtOf(body)))).toMatchObject({
      iss: 'https://posthorn.example',
      data: { account: 'https://posthorn.example' },
    });
  });

  it.each([
    [7000, /has \d+ bytes; receivers may refuse one of more than 8192/],
    [1000, undefined],
  ])('says so when a payload of %i bytes makes it longer than 8 KiB, and is sent', (length, remark) => {
    const composed = envelope.compose(
      signedOccasion({ event: { payload: Buffer.from(`"${'x'.repeat(length)}"`) } }),
    );

    if (remark === undefined) expect(composed.remark).toBeUndefined();
    else expect(composed.remark).toMatch(remark);
    expect(jwtOf(composed.body).length > 8192).toBe(remark !== undefined);
  });

  it('is not sent unsigned when its policy is not known', () => {
    expect(() => envelope.compose(signedOccasion({ policies: new Map() }))).toThrow('policy');
  });
});
