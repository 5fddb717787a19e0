import fc from 'fast-check';
import { DomainError, type Secret, type SignatureScheme } from '@posthorn/models';
import { createSeededRandom } from '@posthorn/testing';
import {
  completeSecrets,
  liveSecrets,
  maxLiveSecrets,
  maxOverlapMs,
  rotateSecrets,
  type SecretSource,
} from './signing-secrets.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const schemes: readonly (readonly SignatureScheme[])[] = [['v1'], ['v1', 'v1a']];

/** What happens to an endpoint's secrets in the course of its life. */
const steps = fc.array(
  fc.record({
    waitMs: fc.nat(maxOverlapMs),
    signing: fc.constantFrom(...schemes),
    rotateWithOverlapMs: fc.option(fc.nat(maxOverlapMs)),
  }),
  { minLength: 1, maxLength: 30 },
);

interface Moment {
  readonly before: readonly Secret[];
  readonly after: readonly Secret[];
  readonly signing: readonly SignatureScheme[];
  readonly overlapMs: number | null;
  readonly now: Date;
}

/** Lives through the steps and shows each moment to `check`; a rotation that is refused changes nothing. */
function live(
  life: typeof steps extends fc.Arbitrary<infer T> ? T : never,
  check: (moment: Moment) => void,
): void {
  const random = createSeededRandom(7);
  let now = start;
  let secrets: readonly Secret[] = [];
  for (const { waitMs, signing, rotateWithOverlapMs: overlapMs } of life) {
    now += waitMs;
    const source: SecretSource = { dialect: 'standard', now: new Date(now), randomBytes: random.bytes };
    const before = completeSecrets(secrets, signing, source);
    secrets = before;
    if (overlapMs !== null) {
      try {
        secrets = rotateSecrets(before, signing, { given: null, overlapMs }, source);
      } catch (error) {
        if (!(error instanceof DomainError) || error.code !== 'failed_precondition') throw error;
      }
    }
    check({
      before,
      after: secrets,
      signing,
      overlapMs: secrets === before ? null : overlapMs,
      now: source.now,
    });
  }
}

describe('the rules for signing secrets', () => {
  it('have one current secret for each scheme that signs, and at most so many beside each other', () => {
    fc.assert(
      fc.property(steps, (life) =>
        live(life, ({ after, signing, now }) => {
          const signingNow = liveSecrets(after, signing, now);
          for (const scheme of signing) {
            const ofScheme = signingNow.filter((secret) => secret.scheme === scheme);
            expect(ofScheme.filter(({ expiresAt }) => expiresAt === null)).toHaveLength(1);
            expect(ofScheme[0]?.expiresAt).toBeNull();
            expect(ofScheme.length).toBeLessThanOrEqual(maxLiveSecrets);
          }
          expect(signingNow.every(({ scheme }) => signing.some((each) => each === scheme))).toBe(true);
        }),
      ),
    );
  });

  it('let no older secret outlive the overlap of a rotation, nor live longer than it had left', () => {
    fc.assert(
      fc.property(steps, (life) =>
        live(life, ({ before, after, signing, overlapMs, now }) => {
          if (overlapMs === null) return;
          for (const old of before.filter(({ scheme }) => signing.some((each) => each === scheme))) {
            const end = Math.min(old.expiresAt?.getTime() ?? Infinity, now.getTime() + overlapMs);
            const kept = after.find(({ secret }) => secret === old.secret);
            if (end <= now.getTime()) expect(kept).toBeUndefined();
            else expect(kept?.expiresAt?.getTime()).toBe(end);
          }
        }),
      ),
    );
  });

  it('show the newest first and keep nothing that has expired', () => {
    fc.assert(
      fc.property(steps, (life) =>
        live(life, ({ after, now }) => {
          for (const scheme of ['v1', 'v1a']) {
            const ages = after
              .filter((each) => each.scheme === scheme)
              .map(({ createdAt }) => createdAt.getTime());
            expect(ages).toEqual([...ages].sort((a, b) => b - a));
          }
          expect(after.every(({ expiresAt }) => expiresAt === null || expiresAt > now)).toBe(true);
        }),
      ),
    );
  });
});
