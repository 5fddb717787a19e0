/**
 * Keeps the first of many in an order, however many are offered: what a page needs when it is `skip` behind the beginning. Memory is
 * bounded by the page's end, not by what is looked at.
 */
export interface Ranking<T> {
  offer(item: T): void;
  /** How many were offered. */
  readonly offered: number;
  /** Those of the page, in order. */
  page(): T[];
}

/** Sorting now and then is cheaper than finding each one's place. */
const slack = 1000;

export function createRanking<T>(options: {
  readonly skip: number;
  readonly limit: number;
  readonly compare: (a: T, b: T) => number;
}): Ranking<T> {
  const { skip, limit, compare } = options;
  const end = limit === 0 ? 0 : skip + limit;
  let kept: T[] = [];
  let offered = 0;

  function cut(): void {
    kept.sort(compare);
    if (kept.length > end) kept = kept.slice(0, end);
  }

  return {
    offer(item) {
      offered += 1;
      if (end === 0) return;
      kept.push(item);
      if (kept.length >= 2 * end + slack) cut();
    },
    get offered() {
      return offered;
    },
    page() {
      cut();
      return kept.slice(skip);
    },
  };
}
