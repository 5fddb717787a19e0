import { createTurnBudget, type TurnBudget } from './turn-budget.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a budget of turns', () => {
  it('gives so much in one turn, and the next share in the next, telling whoever went without', async () => {
    const taken: number[] = [];
    let told = 0;
    function takeAll(): void {
      let count = 0;
      while (budget.take()) count += 1;
      taken.push(count);
    }
    const budget: TurnBudget = createTurnBudget(() => {
      told += 1;
      if (told < 3) takeAll();
    }, 3);
    takeAll();
    takeAll();
    expect(taken).toEqual([3, 0]);
    for (let turn = 0; turn < 6; turn += 1) await nextTurn();
    expect(taken).toEqual([3, 0, 3, 3]);
    expect(told).toBe(3);
  });

  it('tells nobody when there was enough, and starts anew in each turn', async () => {
    let told = 0;
    const budget = createTurnBudget(() => (told += 1), 2);
    expect([budget.take(), budget.take()]).toEqual([true, true]);
    await nextTurn();
    await nextTurn();
    expect([budget.take(), budget.take()]).toEqual([true, true]);
    await nextTurn();
    await nextTurn();
    expect(told).toBe(0);
  });
});
