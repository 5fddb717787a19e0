import { DomainError } from '@posthorn/models';
import { silentLogger } from '@posthorn/runtime';
import { FakeClock } from '@posthorn/testing';
import { guardUsageStore, type GuardedUsageStore } from './guarded-usage-store.ts';
import type { UsageRequest, UsageStore, UsageTaken } from './usage-store.ts';

const request: UsageRequest = {
  counter: 'key/1/publishesPerDay',
  window: 7,
  windowsAhead: 1,
  limit: 10,
  least: 1,
  wanted: 2,
  expiresAt: new Date(0),
};
const taken: UsageTaken = { window: 7, taken: 2, used: 2 };

/** A store that answers when the test says so. */
class ManualStore implements UsageStore {
  readonly asked: { answer(): void; fail(error: unknown): void }[] = [];
  readonly returned: Pick<UsageTaken, 'window' | 'taken'>[] = [];
  failure: DomainError | undefined;

  take(): Promise<UsageTaken> {
    return new Promise((resolve, reject) => this.asked.push({ answer: () => resolve(taken), fail: reject }));
  }

  giveBack(_counter: string, back: Pick<UsageTaken, 'window' | 'taken'>): Promise<void> {
    this.returned.push(back);
    return this.failure === undefined ? Promise.resolve() : Promise.reject(this.failure);
  }

  sweep(): Promise<number> {
    return Promise.resolve(0);
  }
}

describe('the guarded usage store', () => {
  let clock: FakeClock;
  let store: ManualStore;
  let guarded: GuardedUsageStore;
  const away = { code: 'unavailable', retryAfterMs: 1000 };

  beforeEach(() => {
    clock = new FakeClock();
    store = new ManualStore();
    guarded = guardUsageStore(store, { clock, logger: silentLogger });
  });
  afterEach(() => expect(clock.pendingTimers).toBe(0));

  it('answers what the store answers', async () => {
    const answer = guarded.take(request);
    store.asked[0]?.answer();
    expect(await answer).toEqual(taken);
  });

  it('waits for two seconds and no longer, and gives back what comes too late', async () => {
    const answer = guarded.take(request);
    const refused = answer.catch((error: unknown) => error);
    await clock.advanceAsync(1999);
    expect(store.asked).toHaveLength(1);
    await clock.advanceAsync(1);
    expect(await refused).toMatchObject(away);
    store.asked[0]?.answer();
    await clock.advanceAsync(0);
    expect(store.returned).toEqual([taken]);
  });

  it('asks a store that was away once a second, and everyone goes on when it is back', async () => {
    const first = guarded.take(request);
    store.asked[0]?.fail(new DomainError('unavailable', 'away'));
    await expect(first).rejects.toMatchObject(away);
    for (let tries = 0; tries < 5; tries += 1)
      await expect(guarded.take(request)).rejects.toMatchObject(away);
    expect(store.asked).toHaveLength(1);
    await clock.advanceAsync(1000);
    const probe = guarded.take(request);
    await expect(guarded.take(request)).rejects.toMatchObject(away);
    expect(store.asked).toHaveLength(2);
    store.asked[1]?.answer();
    expect(await probe).toEqual(taken);
    const next = guarded.take(request);
    store.asked[2]?.answer();
    expect(await next).toEqual(taken);
  });

  it('never shows why the store failed', async () => {
    const answer = guarded.take(request);
    store.asked[0]?.fail(new Error('password=swordfish'));
    const error = await answer.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject(away);
    expect((error as DomainError).message).not.toContain('swordfish');
  });

  it('gives back as well as it can, and nothing where there is nothing', async () => {
    await guarded.giveBack('c', { window: 7, taken: 0 });
    expect(store.returned).toEqual([]);
    store.failure = new DomainError('unavailable', 'away');
    await guarded.giveBack('c', { window: 7, taken: 3 });
    expect(store.returned).toEqual([{ window: 7, taken: 3 }]);
  });
});
