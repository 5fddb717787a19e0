import { handlerBudgetMs } from './deadlines.ts';

describe('the time that a handler gets', () => {
  it.each([
    [10_000, 9_980],
    [100, 80],
    [40, 20],
    [20, 10],
    [2, 1],
    [0, 0],
    [-5, 0],
    [Infinity, Infinity],
  ])('is of %d ms all but what it takes to report: %d', (callerMs, budgetMs) => {
    expect(handlerBudgetMs(callerMs)).toBe(budgetMs);
  });
});
