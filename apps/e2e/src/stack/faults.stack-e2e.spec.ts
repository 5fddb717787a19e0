/** What was accepted is delivered, whatever is killed meanwhile: one after the other, under load. */
import { startStackPlatform, type StackPlatform } from '@posthorn/stack';
import { startLoadOnTenant, type LoadOnTenant } from './load-on-tenant.ts';

let platform: StackPlatform;
let run: LoadOnTenant;

beforeAll(async () => {
  platform = await startStackPlatform({
    counts: { 'event-ingest': 2, dispatcher: 2 },
    security: 'certificates',
  });
  run = await platform.explain(() =>
    startLoadOnTenant(platform, { refuseShare: 0.03, answerMs: 100, plainSendAgain: false }),
  );
  await platform.explain(() => run.untilDelivered(200));
});
// One by one: the services end also when what is to end before them was never there.
afterAll(() => run.close());
afterAll(() => platform.dispose());

/** For how long a fault may be felt at most, on a slow machine (s): a lease lasts 11 s, a claim that nobody holds 35 s. */
const limit = 120;

/** Says how much of it was felt; answers the longest that anything took, in seconds. */
async function feel(fault: string, fail: () => Promise<void>): Promise<number> {
  const { publishingPaused, slowestDelivery } = await platform.explain(() => run.recover(fail));
  process.stdout.write(
    `faults: ${fault}: no event accepted for ${publishingPaused.toFixed(1)} s, ` +
      `the slowest delivered after ${slowestDelivery.toFixed(1)} s
`,
  );
  return Math.max(publishingPaused, slowestDelivery);
}

describe('under a load of events, with and without order', () => {
  it('goes on when a dispatcher is killed: the other takes its partitions', async () => {
    const dispatcher = platform.process('dispatcher', 1);
    expect(await feel('kill -9 of a dispatcher', () => dispatcher.kill())).toBeLessThan(limit);
    expect(await feel('a dispatcher joins', () => dispatcher.start())).toBeLessThan(limit);
  });

  it('goes on when an event-ingest is killed: the gateway publishes through the other', async () => {
    const ingest = platform.process('event-ingest', 1);
    expect(await feel('kill -9 of an event-ingest', () => ingest.kill())).toBeLessThan(limit);
    expect(await feel('an event-ingest joins', () => ingest.start())).toBeLessThan(limit);
  });

  it('goes on by itself when Kafka was killed and is back', async () => {
    const seconds = await feel('kill -9 and restart of Kafka', async () => {
      await platform.kafka.kill();
      await platform.kafka.restart();
    });
    expect(seconds).toBeLessThan(limit);
  });

  it('accepts what has no idempotency key while MongoDB is away, and goes on by itself when it is back', async () => {
    const seconds = await feel('kill -9 and restart of MongoDB', async () => {
      await platform.mongodb.kill();
      await run.untilAccepted(100);
      await platform.mongodb.restart();
    });
    expect(seconds).toBeLessThan(limit);
  });

  it('has lost nothing in the end, and overtaken nothing that has an order', async () => {
    await platform.explain(() =>
      run.finish().finally(() => process.stdout.write(`faults: ${run.summary()}`)),
    );
    expect(run.ordered.overtakings()).toEqual([]);
    expect(run.load.accepted.length).toBeGreaterThan(1000);
    const { ordered, all } = run;
    expect(ordered.duplicates + all.duplicates).toBeLessThan(0.05 * (ordered.requests + all.requests));
  });
});
