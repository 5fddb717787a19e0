import { createSeededRandom } from '@posthorn/testing';
import { createKeyring } from './keyring.ts';
import { createSecretBox, type SecretBox } from './secret-box.ts';

const random = createSeededRandom(1);
const oldKey = random.bytes(32);
const newKey = random.bytes(32);
const context = 'endpoint/organisation-1/endpoint-1';

function boxWith(...keys: Uint8Array[]): SecretBox {
  return createSecretBox(createKeyring(keys), random.bytes);
}

describe('the secret box', () => {
  it('opens what it sealed, to the very text', () => {
    const box = boxWith(newKey);
    for (const text of ['', 'whsec_abc', '✓ ü 😀', 'x'.repeat(100_000)]) {
      expect(box.open(box.seal(text, context), context)).toBe(text);
    }
  });

  it('shows nothing of the text and never seals twice alike', () => {
    const box = boxWith(newKey);
    const [first, second] = [box.seal('whsec_abc', context), box.seal('whsec_abc', context)];
    expect(first).toMatch(/^v1\.[\w-]{8}\.[\w-]{16}\.[\w-]+$/);
    expect(first).not.toContain(Buffer.from('whsec_abc').toString('base64url'));
    expect(second).not.toBe(first);
  });

  it('does not open in the context of another record', () => {
    const box = boxWith(newKey);
    const sealed = box.seal('secret', context);
    expect(() => box.open(sealed, 'endpoint/organisation-1/endpoint-2')).toThrow();
  });

  it('does not open what was changed, whichever byte it is', () => {
    const box = boxWith(newKey);
    const [version, keyId, iv, sealed] = box.seal('secret', context).split('.') as [
      string,
      string,
      string,
      string,
    ];
    const flip = (part: string, index: number): string => {
      const bytes = Buffer.from(part, 'base64url');
      bytes[index] = (bytes[index] ?? 0) ^ 1;
      return bytes.toString('base64url');
    };
    for (let index = 0; index < Buffer.from(sealed, 'base64url').length; index++) {
      expect(() => box.open([version, keyId, iv, flip(sealed, index)].join('.'), context)).toThrow();
    }
    for (let index = 0; index < 12; index++) {
      expect(() => box.open([version, keyId, flip(iv, index), sealed].join('.'), context)).toThrow();
    }
  });

  it.each(['', 'v1', 'v1.a.b', 'v2.a.b.c', 'plain text'])('does not open %p', (text) => {
    expect(() => boxWith(newKey).open(text, context)).toThrow();
  });

  it('does not open what is cut off', () => {
    const box = boxWith(newKey);
    const sealed = box.seal('secret', context);
    for (let length = 0; length < sealed.length; length++) {
      expect(() => box.open(sealed.slice(0, length), context)).toThrow();
    }
  });

  it('opens what an older key of the ring sealed, and seals with the first', () => {
    const sealed = boxWith(oldKey).seal('secret', context);
    const rotated = boxWith(newKey, oldKey);
    expect(rotated.open(sealed, context)).toBe('secret');
    expect(boxWith(newKey).open(rotated.seal('next', context), context)).toBe('next');
  });

  it('names the missing key, and no secret, when the ring has lost the key', () => {
    const sealed = boxWith(oldKey).seal('secret', context);
    expect(() => boxWith(newKey).open(sealed, context)).toThrow(/key [\w-]{8}, which isn't in the keyring/);
  });

  it('refuses an empty ring and keys of another length', () => {
    expect(() => boxWith()).toThrow(RangeError);
    expect(() => boxWith(new Uint8Array(31))).toThrow(RangeError);
  });
});
