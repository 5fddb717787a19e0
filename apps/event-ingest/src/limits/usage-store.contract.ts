import type { UsageRequest, UsageStore } from './usage-store.ts';

/** Far ahead: a database that removes by its own clock what has expired leaves it alone. */
const later = new Date('2126-01-01T00:00:00Z');

function request(over: Partial<UsageRequest> = {}): UsageRequest {
  return {
    counter: 'organisation/1/publishesPerDay',
    window: 100,
    windowsAhead: 1,
    limit: 10,
    least: 1,
    wanted: 1,
    expiresAt: later,
    ...over,
  };
}

/** What every adapter of UsageStore guarantees. `open` makes an empty store. */
export function usageStoreContract(
  open: () => Promise<{ store: UsageStore; close: () => Promise<void> }>,
): void {
  let store: UsageStore;
  let close: () => Promise<void>;

  beforeEach(async () => {
    ({ store, close } = await open());
  });
  afterEach(() => close());

  it('gives what is wanted while it is there, then what is left, then nothing', async () => {
    expect(await store.take(request({ wanted: 4 }))).toEqual({ window: 100, taken: 4, used: 4 });
    expect(await store.take(request({ wanted: 4 }))).toEqual({ window: 100, taken: 4, used: 8 });
    expect(await store.take(request({ wanted: 4 }))).toEqual({ window: 100, taken: 2, used: 10 });
    expect(await store.take(request({ wanted: 4 }))).toEqual({ window: 100, taken: 0, used: 10 });
  });

  it('gives nothing rather than less than the least, and keeps it for others', async () => {
    await store.take(request({ wanted: 8 }));
    expect(await store.take(request({ least: 3, wanted: 5 }))).toEqual({ window: 100, taken: 0, used: 8 });
    expect(await store.take(request({ least: 2, wanted: 5 }))).toEqual({ window: 100, taken: 2, used: 10 });
  });

  it('gives no more than the limit to many who come at once', async () => {
    const wants = Array.from({ length: 40 }, (_, index) => 1 + (index % 3));
    const results = await Promise.all(wants.map((wanted) => store.take(request({ wanted, limit: 25 }))));
    expect(results.reduce((sum, { taken }) => sum + taken, 0)).toBe(25);
    expect(await store.take(request({ limit: 25 }))).toEqual({ window: 100, taken: 0, used: 25 });
  });

  it('begins at nothing in the next window, and keeps counters apart', async () => {
    await store.take(request({ wanted: 10 }));
    expect(await store.take(request({ counter: 'another' }))).toMatchObject({ taken: 1, used: 1 });
    expect(await store.take(request({ window: 101, wanted: 3 }))).toEqual({ window: 101, taken: 3, used: 3 });
  });

  it('takes from the window of the clock that is ahead', async () => {
    await store.take(request({ window: 101, wanted: 9 }));
    expect(await store.take(request({ wanted: 3 }))).toEqual({ window: 101, taken: 1, used: 10 });
  });

  it('does not follow a clock that is too far ahead', async () => {
    await store.take(request({ window: 102, wanted: 9 }));
    expect(await store.take(request({ wanted: 3 }))).toEqual({ window: 100, taken: 3, used: 3 });
  });

  it('obeys a limit that is lower, or higher, than it was', async () => {
    await store.take(request({ wanted: 8 }));
    expect(await store.take(request({ limit: 5 }))).toEqual({ window: 100, taken: 0, used: 8 });
    expect(await store.take(request({ limit: 20, wanted: 20 }))).toEqual({
      window: 100,
      taken: 12,
      used: 20,
    });
  });

  it('takes back what was not used, within its window only', async () => {
    const { counter } = request();
    await store.take(request({ wanted: 10 }));
    await store.giveBack(counter, { window: 100, taken: 4 });
    expect(await store.take(request({ wanted: 10 }))).toEqual({ window: 100, taken: 4, used: 10 });
    await store.take(request({ window: 101, wanted: 2 }));
    await store.giveBack(counter, { window: 100, taken: 5 });
    await store.giveBack('unknown', { window: 100, taken: 5 });
    expect(await store.take(request({ window: 101 }))).toEqual({ window: 101, taken: 1, used: 3 });
  });

  it('loses nothing of what many give back at once', async () => {
    const { counter } = request();
    await store.take(request({ limit: 100, wanted: 60 }));
    await Promise.all(Array.from({ length: 20 }, () => store.giveBack(counter, { window: 100, taken: 3 })));
    expect(await store.take(request({ limit: 100 }))).toEqual({ window: 100, taken: 1, used: 1 });
  });

  it('counts as far as a limit can reach', async () => {
    const limit = 999_999_999_999_999;
    expect(await store.take(request({ limit, wanted: limit - 1 }))).toMatchObject({ used: limit - 1 });
    expect(await store.take(request({ limit, wanted: 5 }))).toEqual({ window: 100, taken: 1, used: limit });
  });

  it('sweeps what has expired, at most so many at once, and nothing else', async () => {
    for (let index = 0; index < 3; index += 1) await store.take(request({ counter: `old ${index}` }));
    await store.take(request({ counter: 'new', expiresAt: new Date(later.getTime() + 1) }));
    expect(await store.sweep(new Date(later.getTime() - 1), 10)).toBe(0);
    expect(await store.sweep(later, 2)).toBe(2);
    expect(await store.sweep(later, 2)).toBe(1);
    expect(await store.take(request({ counter: 'new' }))).toMatchObject({ used: 2 });
  });
}
