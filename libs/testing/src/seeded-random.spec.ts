import { createSeededRandom, withSeed } from './seeded-random.ts';

describe('seeded randomness', () => {
  it('is the same for the same seed, and another for another', () => {
    const draw = (seed: number): unknown[] => {
      const random = createSeededRandom(seed);
      return [random.number(), random.integer(1, 1_000), ...random.bytes(8), random.shuffle([1, 2, 3, 4, 5])];
    };

    expect(draw(42)).toEqual(draw(42));
    expect(draw(42)).not.toEqual(draw(43));
  });

  it('spreads numbers evenly over [0, 1)', () => {
    const random = createSeededRandom(1);
    const tenths = new Array<number>(10).fill(0);
    for (let count = 0; count < 10_000; count++) {
      const tenth = Math.floor(random.number() * 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }

    expect(tenths).toHaveLength(10);
    // 1,000 of each are expected; the standard deviation is 30.
    expect(Math.min(...tenths)).toBeGreaterThan(850);
    expect(Math.max(...tenths)).toBeLessThan(1_150);
  });

  it('draws integers from both bounds and nothing beyond', () => {
    const random = createSeededRandom(2);
    const drawn = new Set(Array.from({ length: 1_000 }, () => random.integer(3, 6)));

    expect([...drawn].toSorted()).toEqual([3, 4, 5, 6]);
  });

  it('picks every item, and refuses to pick from nothing', () => {
    const random = createSeededRandom(3);

    expect(new Set(Array.from({ length: 100 }, () => random.pick(['a', 'b', 'c']))).size).toBe(3);
    expect(() => random.pick([])).toThrow(RangeError);
  });

  it('keeps all items when it shuffles, and leaves the original alone', () => {
    const items = [1, 2, 3, 4, 5, 6, 7, 8];
    const shuffled = createSeededRandom(4).shuffle(items);

    expect(items).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(shuffled).not.toEqual(items);
    expect(shuffled.toSorted()).toEqual(items);
  });

  it('takes chances as often as it is told', () => {
    const random = createSeededRandom(5);
    const taken = Array.from({ length: 10_000 }, () => random.chance(0.2)).filter(Boolean).length;

    expect(taken).toBeGreaterThan(1_800);
    expect(taken).toBeLessThan(2_200);
    expect(random.chance(0)).toBe(false);
    expect(random.chance(1)).toBe(true);
  });
});

describe('withSeed', () => {
  it('says with which seed a test failed, and why', async () => {
    let seed = -1;
    const failing = withSeed((random) => {
      seed = random.seed;
      throw new Error('an event was lost');
    });

    await expect(failing).rejects.toMatchObject({ cause: new Error('an event was lost') });
    await expect(failing).rejects.toThrow(`POSTHORN_TEST_SEED=${seed}`);
  });

  it('takes the seed that it is given', async () => {
    const before = process.env['POSTHORN_TEST_SEED'];
    process.env['POSTHORN_TEST_SEED'] = '42';
    try {
      await withSeed((random) => expect(random.seed).toBe(42));
    } finally {
      if (before === undefined) delete process.env['POSTHORN_TEST_SEED'];
      else process.env['POSTHORN_TEST_SEED'] = before;
    }
  });
});
