import fc from 'fast-check';
import { Allowance } from './allowance.ts';
import { limitKinds } from './limit-kinds.ts';
import { returnUsage, takeUsage, type StoredUsage, type UsageTaken } from './usage-store.ts';

/** One of several processes does one thing. */
interface Step {
  readonly process: number;
  readonly amount: number;
  /** `ask` is answered at once; `askLate` only when `answer` comes, whatever happens in between. */
  readonly action: 'use' | 'ask' | 'askLate' | 'answer' | 'unuse' | 'release' | 'crash' | 'wait' | 'skew';
}

const actions = [
  'use',
  'use',
  'use',
  'ask',
  'ask',
  'askLate',
  'answer',
  'unuse',
  'release',
  'crash',
  'wait',
  'skew',
] as const;
const step: fc.Arbitrary<Step> = fc.record({
  process: fc.nat(2),
  amount: fc.integer({ min: 1, max: 12 }),
  action: fc.constantFrom(...actions),
});

/** Processes with clocks of their own, over one counter; what each window has seen is counted beside them. */
class Deployment {
  stored: StoredUsage | null = null;
  readonly usedIn = new Map<number, number>();
  readonly #kind;
  readonly #limit;
  #nowMs = 1_000_000_000;
  readonly #processes;

  constructor(kind: (typeof limitKinds)[number], limit: number, processes: number) {
    this.#kind = kind;
    this.#limit = limit;
    this.#processes = Array.from({ length: processes }, () => ({
      allowance: new Allowance(kind),
      skewMs: 0,
      late: [] as UsageTaken[],
      lastUse: null as { window: number; amount: number } | null,
    }));
  }

  run({ process: index, amount, action }: Step): void {
    const process = this.#processes[index % this.#processes.length];
    if (process === undefined) return;
    const { allowance, late } = process;
    allowance.update(this.#nowMs + process.skewMs, this.#limit);
    if (action === 'use' && allowance.covers(amount)) {
      allowance.use(amount, this.#nowMs);
      this.#count(allowance.window, amount);
      process.lastUse = { window: allowance.window, amount };
    } else if (action === 'ask') {
      allowance.granted(this.#take(allowance, amount), this.#nowMs);
    } else if (action === 'askLate') {
      late.push(this.#take(allowance, amount));
    } else if (action === 'answer') {
      const answer = late.shift();
      if (answer !== undefined) allowance.granted(answer, this.#nowMs);
    } else if (action === 'unuse' && process.lastUse !== null) {
      const { window, amount: used } = process.lastUse;
      allowance.unuse(window, used);
      this.#count(window, -used);
      process.lastUse = null;
    } else if (action === 'release') {
      this.stored = returnUsage(this.stored, allowance.release()) ?? this.stored;
    } else if (action === 'crash') {
      process.allowance = new Allowance(this.#kind);
      process.late = [];
      process.lastUse = null;
    } else if (action === 'wait') {
      this.#nowMs += (amount * this.#kind.windowMs) / 10;
    } else if (action === 'skew') {
      // By less than other processes follow.
      process.skewMs = ((amount - 6) * this.#kind.windowMs * this.#kind.windowsAhead) / 20;
    }
  }

  remaining(index: number): number {
    const allowance = this.#processes[index]?.allowance;
    allowance?.update(this.#nowMs, this.#limit);
    return allowance?.isKnown === true ? allowance.remaining : NaN;
  }

  window(index: number): number {
    return this.#processes[index]?.allowance.window ?? NaN;
  }

  #take(allowance: Allowance, amount: number): UsageTaken {
    const taken = takeUsage(this.stored, {
      counter: 'c',
      window: allowance.window,
      windowsAhead: this.#kind.windowsAhead,
      limit: this.#limit,
      ...allowance.ask({ sum: 2 * amount, least: amount }, this.#nowMs),
      expiresAt: new Date(0),
    });
    if (taken.taken > 0) this.stored = taken;
    return taken;
  }

  #count(window: number, amount: number): void {
    this.usedIn.set(window, (this.usedIn.get(window) ?? 0) + amount);
  }
}

describe.each(limitKinds)('an allowance of $field', (kind) => {
  it('never lets all processes together use more than the limit within a window, whatever happens to them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.array(step, { maxLength: 120 }), (limit, steps) => {
        const deployment = new Deployment(kind, limit, 3);
        for (const each of steps) {
          deployment.run(each);
          for (const used of deployment.usedIn.values()) expect(used).toBeLessThanOrEqual(limit);
        }
      }),
    );
  });

  it('knows exactly what is left where there is one process', () => {
    const calm = step.filter(({ action }) => !['crash', 'skew', 'askLate', 'answer'].includes(action));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.array(calm, { maxLength: 120 }), (limit, steps) => {
        const deployment = new Deployment(kind, limit, 1);
        for (const each of steps) {
          deployment.run(each);
          const remaining = deployment.remaining(0);
          if (Number.isNaN(remaining)) continue;
          expect(remaining).toBe(limit - (deployment.usedIn.get(deployment.window(0)) ?? 0));
        }
      }),
    );
  });
});

describe('what an allowance asks for', () => {
  const [perSecond] = limitKinds;
  if (perSecond === undefined) throw new Error('there are no limits');

  it('is what is needed, and what is used in a tenth of a second where that is more', () => {
    const allowance = new Allowance(perSecond);
    allowance.update(0, 10_000);
    expect(allowance.ask({ sum: 3, least: 1 }, 0)).toEqual({ least: 1, wanted: 3 });
    allowance.granted({ window: 0, taken: 200, used: 200 }, 0);
    for (let used = 0; used < 100; used += 1) allowance.use(1, used);
    // 100 within 50 ms.
    expect(allowance.ask({ sum: 120, least: 101 }, 50)).toEqual({ least: 1, wanted: 200 });
  });

  it('is never more than a quarter of what is left, but for what is needed', () => {
    const allowance = new Allowance(perSecond);
    allowance.update(0, 100);
    allowance.granted({ window: 0, taken: 60, used: 60 }, 0);
    allowance.use(60, 0);
    expect(allowance.ask({ sum: 1, least: 1 }, 10)).toEqual({ least: 1, wanted: 10 });
    expect(allowance.ask({ sum: 30, least: 1 }, 10)).toEqual({ least: 1, wanted: 30 });
  });
});
