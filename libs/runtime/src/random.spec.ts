import { systemRandom } from './random.ts';

describe('the random bytes of the machine', () => {
  it.each([0, 1, 10, 16, 4095, 4096, 4097, 100_000])(
    'come in the length that was asked for: %i',
    (length) => {
      expect(systemRandom.bytes(length)).toHaveLength(length);
    },
  );

  it('are never the same twice, over many blocks', () => {
    const seen = new Set<string>();
    for (let count = 0; count < 5_000; count++) seen.add(Buffer.from(systemRandom.bytes(10)).toString('hex'));

    expect(seen.size).toBe(5_000);
  });

  it('belong to who asked: changing them changes nobody else’s', () => {
    const first = systemRandom.bytes(10);
    const second = systemRandom.bytes(10);
    const before = Buffer.from(second).toString('hex');

    first.fill(0);
    new Uint8Array(first.buffer).fill(0);

    expect(Buffer.from(second).toString('hex')).toBe(before);
    expect(first.buffer.byteLength).toBe(10);
  });

  it('are spread over all values', () => {
    const counts = new Array<number>(256).fill(0);
    for (const byte of systemRandom.bytes(256_000)) counts[byte] = (counts[byte] ?? 0) + 1;

    // 1,000 of each are expected; the standard deviation is 32.
    expect(Math.min(...counts)).toBeGreaterThan(700);
    expect(Math.max(...counts)).toBeLessThan(1_300);
  });
});

describe('the random numbers of the machine', () => {
  it('lie in [0, 1)', () => {
    for (let count = 0; count < 1_000; count++) {
      const number = systemRandom.number();
      expect(number).toBeGreaterThanOrEqual(0);
      expect(number).toBeLessThan(1);
    }
  });
});
