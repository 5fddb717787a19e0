import { SignJWT, decodeJwt, generateKeyPair } from 'jose';
import fc from 'fast-check';
import { silentLogger } from '@posthorn/runtime';
import { eventually, FakeClock } from '@posthorn/testing';
import { tokenKey } from './security.harness.ts';
import { createTokenSource, createTokenVerifier } from './service-token.ts';

const key = tokenKey(1);
let clock: FakeClock;
beforeEach(() => (clock = new FakeClock()));

const source = () =>
  createTokenSource({ key, issuer: 'gateway', audience: 'config', clock, logger: silentLogger });
const verifier = (keys = [key]) => createTokenVerifier({ keys, audience: 'config', clock });

/** The service that a token proves, or that it is refused. */
async function outcomeOf(verify: ReturnType<typeof verifier>, token: string): Promise<string> {
  try {
    return await verify(token);
  } catch {
    return 'refused';
  }
}

const expiryOf = (token: string): number => Number(decodeJwt(token).exp) * 1000;

/** A token with these claims in place of the right ones. */
function forge(
  claims: Record<string, unknown>,
  header = { alg: 'HS256' },
  signingKey: Parameters<SignJWT['sign']>[0] = key,
) {
  const now = Math.floor(clock.now() / 1000);
  const right = { iss: 'gateway', aud: 'config', iat: now, exp: now + 300 };
  return new SignJWT({ ...right, ...claims }).setProtectedHeader(header).sign(signingKey);
}

describe('a service token', () => {
  it('proves which service calls, and does so again within its time', async () => {
    const { current, close } = await source();
    const verify = verifier();

    expect(await verify(current)).toBe('gateway');
    expect(verify(current)).toBe('gateway');
    close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends after five minutes, also for a verifier that has seen it, whose clock may be half a minute behind', async () => {
    const { current, close } = await source();
    close();
    const verify = verifier();
    await verify(current);

    clock.advance(300_000 + 29_000);
    expect(await outcomeOf(verify, current)).toBe('gateway');
    clock.advance(2_000);
    expect(await outcomeOf(verify, current)).toBe('refused');
    expect(await outcomeOf(verifier(), current)).toBe('refused');
  });

  it('is renewed by its source long before it ends', async () => {
    const tokens = await source();
    const first = tokens.current;
    const verify = verifier();

    for (let minutes = 0; minutes < 60; minutes += 1) {
      await clock.advanceAsync(60_000);
      // Signing takes a moment of real time; then the next renewal is set.
      await eventually(() => clock.pendingTimers === 1);
      expect(expiryOf(tokens.current) - clock.now()).toBeGreaterThan(60_000);
      expect(await outcomeOf(verify, tokens.current)).toBe('gateway');
    }
    expect(tokens.current).not.toBe(first);
    tokens.close();
  });

  it.each<[string, Record<string, unknown>]>([
    ['for another service', { aud: 'dispatcher' }],
    ['for nobody', { aud: undefined }],
    ['of someone who is no service', { iss: 'operator' }],
    ['of nobody', { iss: undefined }],
    ['without an end', { exp: undefined }],
    ['without a beginning', { iat: undefined }],
    [
      'that is good for a year',
      { iat: Date.parse('2025-12-01') / 1000, exp: Date.parse('2027-01-01') / 1000 },
    ],
    [
      'from the future',
      { iat: Date.parse('2026-01-01T01:00:00Z') / 1000, exp: Date.parse('2026-01-01T02:00:00Z') / 1000 },
    ],
  ])('is refused when it is %s', async (_what, claims) => {
    expect(await outcomeOf(verifier(), await forge({}))).toBe('gateway');
    expect(await outcomeOf(verifier(), await forge(claims))).toBe('refused');
  });

  it('is refused under another key, another algorithm, or none', async () => {
    const { privateKey } = await generateKeyPair('EdDSA');
    const [, payload] = (await forge({})).split('.');
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;

    expect(await outcomeOf(verifier(), await forge({}, { alg: 'HS256' }, tokenKey(9)))).toBe('refused');
    expect(await outcomeOf(verifier(), await forge({}, { alg: 'HS512' }, new Uint8Array(64)))).toBe(
      'refused',
    );
    expect(await outcomeOf(verifier(), await forge({}, { alg: 'EdDSA' }, privateKey))).toBe('refused');
    expect(await outcomeOf(verifier(), unsigned)).toBe('refused');
  });

  it('is refused when any of it was changed', async () => {
    const token = await forge({});
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: token.length - 1 }),
        fc.base64String({ minLength: 1, maxLength: 4 }),
        async (at, text) => {
          const changed = token.slice(0, at) + text + token.slice(at + text.length);
          // The last character of base64url holds bits that say nothing.
          fc.pre(changed.slice(0, -1) !== token.slice(0, -1));
          expect(await outcomeOf(verifier(), changed)).toBe('refused');
        },
      ),
    );
  });

  it('is remembered for few callers at a time, whatever they send', async () => {
    const verify = verifier();
    const first = await forge({ jti: 'first' });
    await verify(first);
    for (let n = 0; n < 300; n += 1) await verify(await forge({ jti: n }));

    expect(verify(first)).toBeInstanceOf(Promise);
    expect(await verify(first)).toBe('gateway');
  });
});
