import { createBatcher, type BatcherOptions, type Settled } from './batcher.ts';

const succeed = <O>(value: O): Settled<O> => ({ ok: true, value });

/** A batcher whose groups start when the test says so, and end when it says so. */
function controlled(options: Partial<BatcherOptions<number, string>> = {}) {
  const scheduled: (() => void)[] = [];
  const groups: (readonly number[])[] = [];
  const settlers: ((results?: readonly Settled<string>[]) => void)[] = [];
  const failers: ((error: unknown) => void)[] = [];
  const batcher = createBatcher<number, string>({
    maxItems: 100,
    schedule: (run) => scheduled.push(run),
    run: (items) => {
      groups.push(items);
      return new Promise((resolve, reject) => {
        settlers.push((results) => resolve(results ?? items.map((item) => succeed(`did ${item}`))));
        failers.push(reject);
      });
    },
    ...options,
  });
  return {
    batcher,
    groups,
    /** Runs what was scheduled. */
    turn: () => scheduled.splice(0).forEach((run) => run()),
    scheduledCount: () => scheduled.length,
    settle: (index: number, results?: readonly Settled<string>[]) => settlers[index]?.(results),
    fail: (index: number, error: unknown) => failers[index]?.(error),
  };
}

describe('a batcher', () => {
  it('runs what was submitted in one turn as one group, and gives each caller its own result', async () => {
    const { batcher, groups, turn, settle } = controlled();
    const results = [batcher.submit(1), batcher.submit(2), batcher.submit(3)];

    turn();
    settle(0);

    expect(await Promise.all(results)).toEqual(['did 1', 'did 2', 'did 3']);
    expect(groups).toEqual([[1, 2, 3]]);
  });

  it('collects the next group while one is in flight, and never runs two at once', async () => {
    const { batcher, groups, turn, settle, scheduledCount } = controlled();
    const first = batcher.submit(1);
    turn();
    const rest = [batcher.submit(2), batcher.submit(3)];

    turn();
    expect(groups).toEqual([[1]]);
    expect(scheduledCount()).toBe(0);
    settle(0);
    await first;
    turn();
    settle(1);
    await Promise.all(rest);

    expect(groups).toEqual([[1], [2, 3]]);
  });

  it('leaves a turn of the event loop between groups', async () => {
    const order: string[] = [];
    const batcher = createBatcher<number, number>({
      maxItems: 1,
      run: (items) => {
        order.push(`group ${items[0]}`);
        return items.map(succeed);
      },
    });
    const results = [batcher.submit(1), batcher.submit(2)];
    setImmediate(() => order.push('someone else'));

    await Promise.all(results);

    expect(order).toEqual(['group 1', 'someone else', 'group 2']);
  });

  it('keeps a group within the number of items', async () => {
    const { batcher, groups, turn, settle } = controlled({ maxItems: 2 });
    const results = [1, 2, 3].map((item) => batcher.submit(item));

    turn();
    settle(0);
    await results[0];
    turn();
    settle(1);
    await Promise.all(results);

    expect(groups).toEqual([[1, 2], [3]]);
  });

  it('keeps a group within the bytes, and lets an item over the bound go alone', async () => {
    const { batcher, groups, turn, settle } = controlled({ maxBytes: 100, sizeOf: (item) => item });
    const results = [40, 60, 1, 500, 2].map((item) => batcher.submit(item));

    for (let group = 0; group < 4; group++) {
      turn();
      settle(group);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(results);

    expect(groups).toEqual([[40, 60], [1], [500], [2]]);
  });

  it('rejects the items of a failed group with its error, and no others', async () => {
    const { batcher, turn, settle, fail } = controlled({ maxItems: 2 });
    const results = [1, 2, 3].map((item) => batcher.submit(item));
    const outcomes = Promise.allSettled(results);
    const error = new Error('the disk is full');

    turn();
    fail(0, error);
    await results[0]?.catch(() => undefined);
    turn();
    settle(1);

    expect(await outcomes).toEqual([
      { status: 'rejected', reason: error },
      { status: 'rejected', reason: error },
      { status: 'fulfilled', value: 'did 3' },
    ]);
  });

  it('rejects only the items that failed within a group', async () => {
    const { batcher, turn, settle } = controlled();
    const outcomes = Promise.allSettled([batcher.submit(1), batcher.submit(2)]);
    const error = new Error('a duplicate');

    turn();
    settle(0, [{ ok: false, error }, succeed('did 2')]);

    expect(await outcomes).toEqual([
      { status: 'rejected', reason: error },
      { status: 'fulfilled', value: 'did 2' },
    ]);
  });

  it('rejects the items of a run that throws at once, and goes on', async () => {
    let runs = 0;
    const batcher = createBatcher<number, number>({
      maxItems: 1,
      run: (items) => {
        if (runs++ === 0) throw new Error('broken');
        return items.map(succeed);
      },
    });

    await expect(batcher.submit(1)).rejects.toThrow('broken');
    expect(await batcher.submit(2)).toBe(2);
  });

  it('leaves nobody waiting when a run answers with too few results', async () => {
    const { batcher, turn, settle } = controlled();
    const outcomes = Promise.allSettled([batcher.submit(1), batcher.submit(2)]);

    turn();
    settle(0, [succeed('did 1')]);

    expect(await outcomes).toMatchObject([{ status: 'fulfilled' }, { status: 'rejected' }]);
  });

  it('refuses with unavailable what is more than may wait, and takes more once there is room', async () => {
    const { batcher, turn, settle } = controlled({ maxItems: 2, maxWaiting: 2 });
    const results = [batcher.submit(1), batcher.submit(2)];

    await expect(batcher.submit(3)).rejects.toMatchObject({ code: 'unavailable' });
    turn();
    results.push(batcher.submit(4));
    expect(batcher.waiting).toBe(1);
    settle(0);
    await results[0];
    turn();
    settle(1);

    expect(await Promise.all(results)).toEqual(['did 1', 'did 2', 'did 4']);
  });

  it('refuses with unavailable what is more bytes than may wait', async () => {
    const { batcher, turn, settle } = controlled({ maxWaitingBytes: 100, sizeOf: (item) => item });
    const results = [batcher.submit(60), batcher.submit(40)];

    await expect(batcher.submit(1)).rejects.toMatchObject({ code: 'unavailable' });
    turn();
    settle(0);

    expect(await Promise.all(results)).toEqual(['did 60', 'did 40']);
  });

  it('drains: waits for what is in flight, what waits, and what is submitted meanwhile', async () => {
    const { batcher, turn, settle } = controlled({ maxItems: 1 });
    const settled: number[] = [];
    const submit = (item: number): void => void batcher.submit(item).then(() => settled.push(item));
    submit(1);
    submit(2);
    let drained = false;
    const draining = batcher.drain().then(() => (drained = true));

    for (let group = 0; group < 3; group++) {
      turn();
      if (group === 0) submit(3);
      expect(drained).toBe(false);
      settle(group);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await draining;

    expect(settled).toEqual([1, 2, 3]);
  });

  it('is drained at once when nothing was submitted, or a group failed', async () => {
    const batcher = createBatcher<number, number>({
      maxItems: 1,
      run: () => Promise.reject(new Error('no')),
    });

    await batcher.drain();
    const failing = batcher.submit(1).catch((error: unknown) => error);
    await batcher.drain();

    expect(await failing).toEqual(new Error('no'));
  });
});
