import fc from 'fast-check';
import { createBatcher, type Settled } from './batcher.ts';

type Step =
  | { readonly kind: 'submit'; readonly size: number; readonly fails: boolean }
  | { readonly kind: 'turn' }
  | { readonly kind: 'settle'; readonly fails: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('submit' as const), size: fc.nat(60), fails: fc.boolean() }),
  fc.record({ kind: fc.constant('turn' as const) }),
  fc.record({ kind: fc.constant('settle' as const), fails: fc.boolean() }),
);

interface Item {
  readonly number: number;
  readonly size: number;
  readonly fails: boolean;
}

describe('a batcher, whatever happens when', () => {
  it('runs each accepted item once and in order, within its bounds, and settles it as its group or itself says', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 80 }),
        fc.record({ maxItems: fc.integer({ min: 1, max: 5 }), maxWaiting: fc.integer({ min: 1, max: 10 }) }),
        async (steps, { maxItems, maxWaiting }) => {
          const maxBytes = 100;
          const accepted: Item[] = [];
          const groups: { items: readonly Item[]; failed: boolean }[] = [];
          const outcomes = new Map<number, 'done' | 'failed alone' | 'failed together'>();
          let scheduled: (() => void)[] = [];
          let settleGroup: ((fails: boolean) => void) | undefined;

          const batcher = createBatcher<Item, number>({
            maxItems,
            maxBytes,
            maxWaiting,
            sizeOf: (item) => item.size,
            schedule: (run) => scheduled.push(run),
            run: (items) => {
              expect(settleGroup).toBeUndefined();
              const group = { items, failed: false };
              groups.push(group);
              return new Promise((resolve, reject) => {
                settleGroup = (fails) => {
                  settleGroup = undefined;
                  group.failed = fails;
                  if (fails) reject(new Error('together'));
                  else resolve(items.map(resultOf));
                };
              });
            },
          });

          const act = async (next: Step): Promise<void> => {
            if (next.kind === 'submit') {
              const item: Item = { number: accepted.length, size: next.size, fails: next.fails };
              const refused = batcher.waiting >= maxWaiting;
              const result = batcher.submit(item);
              if (refused) await expect(result).rejects.toMatchObject({ code: 'unavailable' });
              else {
                accepted.push(item);
                result.then(
                  () => outcomes.set(item.number, 'done'),
                  (error: unknown) =>
                    outcomes.set(item.number, error === alone ? 'failed alone' : 'failed together'),
                );
              }
            } else if (next.kind === 'turn') {
              const due = scheduled;
              scheduled = [];
              for (const run of due) run();
            } else settleGroup?.(next.fails);
            await Promise.resolve();
          };
          for (const next of steps) await act(next);
          let drained = false;
          const draining = batcher.drain().then(() => (drained = true));
          for (let rest = 0; !drained && rest < 1_000; rest++) {
            await act({ kind: 'turn' });
            await act({ kind: 'settle', fails: false });
          }
          await draining;

          expect(groups.flatMap((group) => group.items)).toEqual(accepted);
          for (const { items, failed } of groups) {
            expect(items.length).toBeLessThanOrEqual(maxItems);
            const total = items.reduce((sum, item) => sum + item.size, 0);
            expect(items.length === 1 || total <= maxBytes).toBe(true);
            for (const item of items)
              expect(outcomes.get(item.number)).toBe(
                failed ? 'failed together' : item.fails ? 'failed alone' : 'done',
              );
          }
        },
      ),
    );
  });
});

const alone = new Error('alone');

function resultOf(item: Item): Settled<number> {
  return item.fails ? { ok: false, error: alone } : { ok: true, value: item.number };
}
