import { murmur2, partitionOf } from './partition-of.ts';

describe('partitionOf', () => {
  // The vectors of Kafka's own test of its hash.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])("hashes %s like Kafka's own clients", (key, hash) => {
    expect(murmur2(Buffer.from(key))).toBe(hash);
  });

  it('puts a key into the partition in which it always was', () => {
    const partitions = ['org/customer-1', 'org/customer-2', 'órg/ключ', ''].map((key) =>
      partitionOf(Buffer.from(key), 12),
    );
    expect(partitions).toEqual([4, 6, 11, 9]);
  });

  it('spreads ids evenly', () => {
    const counts = new Array<number>(12).fill(0);
    for (let number = 0; number < 12_000; number++) {
      const id = `01900000-0000-4000-8000-${String(number).padStart(12, '0')}`;
      const partition = partitionOf(Buffer.from(id), 12);
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(850);
    expect(Math.max(...counts)).toBeLessThan(1150);
  });
});
