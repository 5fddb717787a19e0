import { dialects, type Dialect } from '@posthorn/models';
import { createSeededRandom } from '@posthorn/testing';
import {
  checkGivenSecret,
  checkRotation,
  completeSecrets,
  defaultOverlapMs,
  defaultOverlapOf,
  liveSecrets,
  maxLiveSecrets,
  maxOverlapMs,
  rotateSecrets,
  secretSchemesOf,
  type SecretSource,
} from './signing-secrets.ts';

const source: SecretSource = {
  dialect: 'standard',
  now: new Date('2026-01-01T00:00:00Z'),
  randomBytes: createSeededRandom(3).bytes,
};
const given = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const givenKey = `whsk_${Buffer.alloc(32, 1).toString('base64')}`;

describe('completing secrets', () => {
  it('makes one for each scheme that signs, in its own form', () => {
    const secrets = completeSecrets([], ['v1', 'v1a'], source);
    expect(secrets.map(({ secret }) => secret.slice(0, secret.indexOf('_')))).toEqual(['whsec', 'whsk']);
  });

  it("takes the owner's secret for its scheme and makes the others", () => {
    const secrets = completeSecrets([], ['v1', 'v1a'], source, given);
    expect(secrets[0]?.secret).toBe(given);
    expect(secrets[1]?.secret).toMatch(/^whsk_/);
  });

  it('finds the key pair again after v1a was off for a while, and does not show it meanwhile', () => {
    const both = completeSecrets([], ['v1', 'v1a'], source);
    const off = completeSecrets(both, ['v1'], source);
    expect(liveSecrets(off, ['v1'], source.now)).toEqual(both.slice(0, 1));
    expect(completeSecrets(off, ['v1', 'v1a'], source)).toEqual(both);
  });
});

describe('rotating secrets', () => {
  it('rotates only the scheme of a secret that the owner brings', () => {
    const both = completeSecrets([], ['v1', 'v1a'], source);
    const rotated = rotateSecrets(both, ['v1', 'v1a'], { given, overlapMs: 1000 }, source);
    expect(rotated.map(({ secret }) => secret)).toEqual([given, ...both.map(({ secret }) => secret)]);
    expect(rotated.map(({ expiresAt }) => expiresAt?.getTime() ?? null)).toEqual([
      null,
      source.now.getTime() + 1000,
      null,
    ]);
  });

  it('ends all older secrets at once with an overlap of 0, however many there are', () => {
    let secrets = completeSecrets([], ['v1'], source);
    for (let i = 1; i < maxLiveSecrets; i++) {
      secrets = rotateSecrets(secrets, ['v1'], { given: null, overlapMs: defaultOverlapMs }, source);
    }
    expect(secrets).toHaveLength(maxLiveSecrets);
    expect(rotateSecrets(secrets, ['v1'], { given: null, overlapMs: 0 }, source)).toHaveLength(1);
  });

  it('refuses one secret more than may sign side by side', () => {
    let secrets = completeSecrets([], ['v1'], source);
    const rotate = () => rotateSecrets(secrets, ['v1'], { given: null, overlapMs: defaultOverlapMs }, source);
    for (let i = 1; i < maxLiveSecrets; i++) secrets = rotate();
    expect(rotate).toThrow('10 secrets are signing side by side already');
  });
});

describe('checking a rotation', () => {
  const standard = { dialect: 'standard', signing: ['v1'] } as const;
  const secrets = completeSecrets([], ['v1'], source, given);
  const fields = (secret: string | null, overlapMs: number): string[] =>
    checkRotation({ given: secret, overlapMs }, secrets, standard).map(
      ({ field, code }) => `${field} ${code}`,
    );

  it('accepts overlaps from nothing to 30 days and a new secret in the right form', () => {
    expect(fields(null, 0)).toEqual([]);
    expect(fields(`whsec_${Buffer.alloc(24, 2).toString('base64')}`, maxOverlapMs)).toEqual([]);
  });

  it('finds all that is wrong at once', () => {
    expect(fields(given, -1)).toEqual(['/overlapMs out_of_range', '/secret not_new']);
    expect(fields('short', maxOverlapMs + 1)).toEqual(['/overlapMs out_of_range', '/secret invalid_prefix']);
    expect(fields(null, 1.5)).toEqual(['/overlapMs out_of_range']);
  });

  it('refuses a secret for a scheme that does not sign', () => {
    expect(checkGivenSecret(givenKey, ['v1'])).toEqual([
      expect.objectContaining({ field: '/secret', code: 'scheme_off' }),
    ]);
    expect(checkGivenSecret(givenKey, ['v1', 'v1a'])).toEqual([]);
  });

  it('never repeats the secret', () => {
    const text = JSON.stringify(checkRotation({ given, overlapMs: -1 }, secrets, standard));
    expect(text).not.toContain(given);
  });
});

describe('the secrets of a dialect', () => {
  const of = (dialect: Dialect) => ({ dialect, signing: [] });

  it('are one text where texts sign, and none where a policy does', () => {
    expect(secretSchemesOf(of('ricloud'))).toEqual(['text']);
    expect(secretSchemesOf(of('rapidly'))).toEqual(['text']);
    expect(secretSchemesOf(of('preo'))).toEqual(['text']);
    expect(secretSchemesOf(of('xurrent'))).toEqual([]);
    expect(completeSecrets([], [], { ...source, dialect: 'xurrent' })).toEqual([]);
    expect(checkGivenSecret('any', [])).toMatchObject([{ field: '/secret', code: 'scheme_off' }]);
  });

  it('take a text of any form for what it is, whatever its prefix', () => {
    for (const text of ['whsec_notbase64!', 'whsk_x', 'plain']) {
      expect(checkGivenSecret(text, ['text'])).toEqual([]);
      expect(completeSecrets([], ['text'], { ...source, dialect: 'preo' }, text)).toMatchObject([
        { scheme: 'text', secret: text, expiresAt: null },
      ]);
    }
  });

  it('are replaced at once unless their owner says otherwise, those of Standard Webhooks after a day', () => {
    expect(dialects.map((dialect) => [dialect, defaultOverlapOf(dialect)])).toEqual([
      ['standard', 86_400_000],
      ['ricloud', 0],
      ['xurrent', 0],
      ['rapidly', 0],
      ['preo', 0],
    ]);
  });

  it('overlap in no dialect whose requests have room for one signature only', () => {
    const overlapMs = 1000;
    for (const dialect of ['standard', 'rapidly'] as const) {
      const endpoint = dialect === 'standard' ? { dialect, signing: ['v1'] as const } : of(dialect);
      expect(checkRotation({ given: null, overlapMs }, [], endpoint)).toEqual([]);
    }
    for (const dialect of ['ricloud', 'preo'] as const) {
      expect(checkRotation({ given: null, overlapMs }, [], of(dialect))).toMatchObject([
        { field: '/overlapMs', code: 'out_of_range' },
      ]);
    }
  });
});
