import { maxPageBytes } from './page-budget.ts';
import { idCursor, maxPageSize, numberCursor, readCursor, readPage, writeCursor } from './page.ts';

const numbers = Array.from({ length: 120 }, (_, index) => 120 - index);

function page(limit: number, cursor: string) {
  return readPage({ limit, cursor }, numberCursor, {
    load: (count, after) =>
      Promise.resolve(numbers.filter((item) => after === null || item < after).slice(0, count)),
    positionOf: (item: number) => item,
  });
}

describe('paging', () => {
  it('shows every item once, in order, whatever the size of the pages', async () => {
    for (const limit of [1, 7, 60, 119, 120, 121]) {
      const seen: number[] = [];
      let cursor = '';
      do {
        const { items, nextCursor } = await page(limit, cursor);
        seen.push(...items);
        cursor = nextCursor;
      } while (cursor !== '');
      expect(seen).toEqual(numbers);
    }
  });

  it('shows 50 items by default', async () => {
    expect((await page(0, '')).items).toHaveLength(50);
  });

  it('refuses limits out of range and cursors that are not ours, all at once', async () => {
    for (const limit of [-1, maxPageSize + 1]) {
      await expect(page(limit, 'nonsense!')).rejects.toMatchObject({
        code: 'invalid_argument',
        violations: [{ field: '?limit' }, { field: '?cursor' }],
      });
    }
    await expect(page(5, writeCursor('x', idCursor))).rejects.toMatchObject({ code: 'invalid_argument' });
  });
});

describe('a page of large items', () => {
  const large = [3, 2, 1].map((number) => ({ number, text: 'x'.repeat(0.6 * maxPageBytes) }));
  const source = {
    load: (count: number, after: number | null) =>
      Promise.resolve(large.filter(({ number }) => after === null || number < after).slice(0, count)),
    positionOf: ({ number }: (typeof large)[number]) => number,
  };

  it('ends before it grows beyond its bound, and holds one at least', async () => {
    const seen: number[] = [];
    let cursor = '';
    do {
      const { items, nextCursor } = await readPage({ limit: 0, cursor }, numberCursor, source);
      expect(items).toHaveLength(1);
      seen.push(...items.map(({ number }) => number));
      cursor = nextCursor;
    } while (cursor !== '');
    expect(seen).toEqual([3, 2, 1]);
  });
});

describe('cursors', () => {
  it('come back as they were written', () => {
    expect(readCursor(writeCursor(42, numberCursor), numberCursor)).toBe(42);
    const id = '01900000-0000-4000-8000-000000000001';
    expect(readCursor(writeCursor(id, idCursor), idCursor)).toBe(id);
  });

  it('are not read when a character was changed into one that decodes alike', () => {
    const cursor = writeCursor(7, numberCursor);
    expect(readCursor(`${cursor}=`, numberCursor)).toBeNull();
    expect(readCursor(` ${cursor}`, numberCursor)).toBeNull();
  });
});
