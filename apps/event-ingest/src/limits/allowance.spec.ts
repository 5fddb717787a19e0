import { Allowance } from './allowance.ts';
import { limitKinds, type LimitKind } from './limit-kinds.ts';

function kindOf(field: LimitKind['field']): LimitKind {
  const kind = limitKinds.find((each) => each.field === field);
  if (kind === undefined) throw new Error(`there is no limit ${field}`);
  return kind;
}

describe('an allowance', () => {
  let allowance: Allowance;

  beforeEach(() => {
    allowance = new Allowance(kindOf('publishesPerSecond'));
    allowance.update(0, 10);
  });

  it('covers nothing before it was granted something, and knows nothing', () => {
    expect([allowance.covers(1), allowance.isSpent(1, 0), allowance.isKnown]).toEqual([false, false, false]);
  });

  it('loses what it holds when its window is over', () => {
    allowance.granted({ window: 0, taken: 5, used: 5 }, 0);
    allowance.update(999, 10);
    expect(allowance.covers(5)).toBe(true);
    allowance.update(1000, 10);
    expect([allowance.covers(1), allowance.isKnown, allowance.held]).toEqual([false, false, 0]);
  });

  it('takes no answer in that was given for a window before', () => {
    allowance.update(1000, 10);
    allowance.granted({ window: 0, taken: 5, used: 5 }, 1000);
    expect([allowance.covers(1), allowance.isKnown]).toEqual([false, false]);
  });

  it('takes nothing back that was used in a window before', () => {
    allowance.granted({ window: 0, taken: 5, used: 5 }, 0);
    allowance.use(5, 0);
    allowance.unuse(0, 2);
    expect(allowance.held).toBe(2);
    allowance.update(1000, 10);
    allowance.granted({ window: 1, taken: 1, used: 10 }, 1000);
    allowance.unuse(0, 3);
    expect(allowance.held).toBe(1);
  });

  it('goes on in a window that another process has begun, without what it holds of its own', () => {
    allowance.granted({ window: 0, taken: 5, used: 5 }, 0);
    allowance.granted({ window: 1, taken: 2, used: 9 }, 0);
    expect([allowance.window, allowance.held, allowance.remaining]).toEqual([1, 2, 3]);
    // Its own clock is still in the window before.
    allowance.update(500, 10);
    expect([allowance.window, allowance.held]).toEqual([1, 2]);
    expect(allowance.resetMs(500)).toBe(1500);
  });

  it('leaves a window that its clock, put right, says is far ahead', () => {
    allowance.update(60_000, 10);
    allowance.granted({ window: 60, taken: 5, used: 5 }, 0);
    allowance.update(1000, 10);
    expect([allowance.window, allowance.held]).toEqual([1, 0]);
  });

  it('lets no more be used than a limit that was lowered', () => {
    allowance.granted({ window: 0, taken: 8, used: 8 }, 0);
    allowance.use(3, 0);
    allowance.update(0, 4);
    expect([allowance.covers(1), allowance.covers(2), allowance.isSpent(2, 0)]).toEqual([true, false, true]);
    expect(allowance.remaining).toBe(1);
  });

  it('trusts for a second that a day is used up, since others may give something back', () => {
    const day = new Allowance(kindOf('publishesPerDay'));
    day.update(0, 10);
    day.granted({ window: 0, taken: 0, used: 10 }, 5000);
    expect([day.isSpent(1, 5999), day.isSpent(1, 6000)]).toEqual([true, false]);
    allowance.granted({ window: 0, taken: 0, used: 10 }, 5000);
    expect(allowance.isSpent(1, 6000)).toBe(true);
  });

  it('gives up all that it holds, once', () => {
    allowance.granted({ window: 0, taken: 8, used: 9 }, 0);
    allowance.use(3, 0);
    expect(allowance.release()).toEqual({ window: 0, taken: 5 });
    expect(allowance.release()).toEqual({ window: 0, taken: 0 });
    expect([allowance.covers(1), allowance.remaining]).toEqual([false, 6]);
  });
});
