/** What one page may hold. */
export interface PageBudget {
  /** Counts an item in, going by its length as JSON; false when the page is full. The first item always fits. */
  take(item: unknown): boolean;
}

/** However large the items are, a page stays well below what one message may have (16 MiB) and what one turn of the loop can bear. */
export const maxPageBytes = 1024 * 1024;

export function createPageBudget(maxItems: number, maxBytes = maxPageBytes): PageBudget {
  let items = 0;
  let bytes = 0;
  return {
    take(item) {
      const size = JSON.stringify(item).length;
      if (items > 0 && (items >= maxItems || bytes + size > maxBytes)) return false;
      items += 1;
      bytes += size;
      return true;
    },
  };
}

/** Where a page's items come from: `load` gives at most `limit` items behind a position, in order. */
export interface PageSource<Item, Position> {
  readonly load: (limit: number, after: Position | null) => Promise<readonly Item[]>;
  readonly positionOf: (item: Item) => Position;
}

export interface FilledPage<Item, Position> {
  readonly items: readonly Item[];
  /** Where the next page goes on; null when there is nothing left. */
  readonly next: { readonly after: Position | null } | null;
}

/** How many rows are asked for at a time: what is read in vain, because the page is full, is bounded too. */
const stepSize = 64;

/** Reads on from a position until the budget is used up or nothing is left. */
export async function fillPage<Item, Position>(
  { load, positionOf }: PageSource<Item, Position>,
  start: Position | null,
  budget: PageBudget,
): Promise<FilledPage<Item, Position>> {
  const items: Item[] = [];
  let after = start;
  for (;;) {
    const found = await load(stepSize, after);
    for (const item of found) {
      if (!budget.take(item)) return { items, next: { after } };
      items.push(item);
      after = positionOf(item);
    }
    if (found.length < stepSize) return { items, next: null };
  }
}
