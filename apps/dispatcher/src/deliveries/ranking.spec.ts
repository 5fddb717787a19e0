import fc from 'fast-check';
import { createRanking } from './ranking.ts';

describe('a ranking', () => {
  it('has the page that sorting everything would have, and counts what it was offered', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(), { maxLength: 3000, size: 'max' }),
        fc.nat({ max: 40 }),
        fc.nat({ max: 40 }),
        (items, skip, limit) => {
          const ranking = createRanking<number>({ skip, limit, compare: (a, b) => a - b });
          for (const item of items) ranking.offer(item);
          const sorted = items.toSorted((a, b) => a - b);

          expect(ranking.page()).toEqual(limit === 0 ? [] : sorted.slice(skip, skip + limit));
          expect(ranking.offered).toBe(items.length);
        },
      ),
      { numRuns: 50 },
    );
  });
});
