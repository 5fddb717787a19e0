import fc from 'fast-check';
import { createProgress } from './progress.ts';

describe('the watermark', () => {
  it('stands before the oldest event that is not on record whole, whatever the order of recording', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ gap: fc.integer({ min: 1, max: 3 }), open: fc.integer({ min: 1, max: 3 }) })),
        fc.infiniteStream(fc.nat()),
        (events, choices) => {
          const progress = createProgress(0, 1);
          let position = 0;
          const unsettled = events.flatMap(({ gap, open }) => {
            position += gap;
            const mark = progress.begin(position, open);
            return Array.from({ length: open }, () => mark);
          });
          for (const choice of choices) {
            const oldest = Math.min(...unsettled.map((mark) => mark.position));
            expect(progress.next).toBeLessThanOrEqual(oldest === Infinity ? position + 1 : oldest);
            if (unsettled.length === 0) break;
            const [settled] = unsettled.splice(choice % unsettled.length, 1);
            if (settled !== undefined) progress.settle(settled);
          }
          expect(progress.next).toBe(position + 1);
          expect(progress.unfinished).toBe(0);
        },
      ),
    );
  });
});
