import { newId } from '@posthorn/models';
import { FakeClock } from '@posthorn/testing';
import { findYoung } from './young-record.ts';

const clockAndId = (ageMs: number) => {
  const clock = new FakeClock();
  return { clock, id: newId(clock.now() - ageMs, (count) => new Uint8Array(count)) };
};

/** Answers whether the look-up is done, and with what. */
function watch(promise: Promise<unknown>) {
  const state: { result?: unknown } = {};
  void promise.then((result) => (state.result = result));
  return state;
}

describe('looking for a record that may not be there yet', () => {
  it('finds what is there with a single look', async () => {
    const { clock, id } = clockAndId(100_000);
    let looks = 0;
    const find = () => Promise.resolve(`look ${(looks += 1)}`);
    expect(await findYoung(id, find, { clock, signal: () => new AbortController().signal })).toBe('look 1');
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([
    ['an id that is older than ten seconds', 10_001],
    ['an id of the far future', -10_001],
  ])('does not wait for %s', async (_, ageMs) => {
    const { clock, id } = clockAndId(ageMs);
    const found = await findYoung(id, () => Promise.resolve(null), {
      clock,
      signal: () => new AbortController().signal,
    });
    expect(found).toBeNull();
  });

  it('does not wait for an id that is none of ours', async () => {
    const { clock } = clockAndId(0);
    expect(
      await findYoung('order-77', () => Promise.resolve(null), {
        clock,
        signal: () => new AbortController().signal,
      }),
    ).toBeNull();
  });

  it.each([0, 9_999])('waits for an id of %d ms until it is there', async (ageMs) => {
    const { clock, id } = clockAndId(ageMs);
    const until = clock.monotonic() + 1500;
    const find = () => Promise.resolve(clock.monotonic() >= until ? 'there' : null);
    const state = watch(findYoung(id, find, { clock, signal: () => new AbortController().signal }));
    await clock.advanceAsync(1400);
    expect(state).toEqual({});
    await clock.advanceAsync(200);
    expect(state).toEqual({ result: 'there' });
  });

  it('gives up after two seconds', async () => {
    const { clock, id } = clockAndId(0);
    const signal = new AbortController().signal;
    const state = watch(findYoung(id, () => Promise.resolve(null), { clock, signal: () => signal }));
    await clock.advanceAsync(1990);
    expect(state).toEqual({});
    await clock.advanceAsync(50);
    expect(state).toEqual({ result: null });
    expect(clock.pendingTimers).toBe(0);
  });

  it('stops when nobody waits for the answer any more', async () => {
    const { clock, id } = clockAndId(0);
    const caller = new AbortController();
    let looks = 0;
    const find = () => {
      looks += 1;
      return Promise.resolve(null);
    };
    const looking = findYoung(id, find, { clock, signal: () => caller.signal });
    const settled = looking.catch(() => null);
    await clock.advanceAsync(100);
    caller.abort();
    await settled;
    const { pendingTimers } = clock;
    const before = looks;
    await clock.advanceAsync(2000);
    expect([looks, pendingTimers]).toEqual([before, 0]);
  });
});
