/** Nothing is lost and nothing comes twice when processes join, leave and are replaced in order, under load. */
import { startStackPlatform, type StackPlatform } from '@posthorn/stack';
import { startLoadOnTenant, type LoadOnTenant } from '../load/load-on-tenant.ts';

let platform: StackPlatform;
let run: LoadOnTenant;

beforeAll(async () => {
  platform = await startStackPlatform({
    counts: { config: 2, 'event-ingest': 2, dispatcher: 2, gateway: 2 },
    spareDispatchers: 1,
    security: 'tokens',
  });
});
afterAll(() => platform.dispose());
beforeEach(() =>
  platform.explain(async () => {
    run = await startLoadOnTenant(platform, {
      // Long enough that every move finds attempts under way.
      answerMs: 400,
      plainSendAgain: true,
    });
    await run.untilDelivered(100);
  }),
);
afterEach(() => run.close());

/** Ends the load, says how it went, and asks for everything once. */
async function expectEachOnce(what: string): Promise<void> {
  try {
    await platform.explain(() => run.finish());
  } finally {
    process.stdout.write(`${what}: ${run.summary()}`);
  }
  const { ordered, all } = run;
  expect({ ordered: ordered.duplicates, all: all.duplicates }).toEqual({ ordered: 0, all: 0 });
  expect(ordered.overtakings()).toEqual([]);
}

describe('a group of dispatchers', () => {
  it('shares its partitions out anew while deliveries are under way, when one joins and when it leaves', async () => {
    await platform.explain(async () => {
      const third = platform.process('dispatcher', 3);
      const shared: number[] = [];
      await third.start();
      shared.push(run.receiver.inFlight);
      await run.untilDelivered(200);
      await third.stop();
      shared.push(run.receiver.inFlight);
      await run.untilDelivered(200);
      expect(Math.min(...shared)).toBeGreaterThan(0);
    });
    await expectEachOnce('a dispatcher joins and leaves');
  });
});

describe('a rolling update', () => {
  it('of two of each service is noticed by no client that sends again once', async () => {
    await platform.explain(async () => {
      for (const service of ['config', 'event-ingest', 'dispatcher', 'gateway'] as const) {
        for (const number of [1, 2]) {
          const one = platform.process(service, number);
          await one.stop();
          await one.start();
          await run.untilDelivered(50);
        }
      }
    });
    await expectEachOnce('rolling update');
    expect(run.load.unanswered).toBe(0);
    expect(run.load.mostTries).toBeLessThanOrEqual(2);
  });
});
