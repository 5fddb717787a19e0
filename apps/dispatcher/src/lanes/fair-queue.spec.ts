import { createFairQueue } from './fair-queue.ts';

function takeAll(queue: ReturnType<typeof createFairQueue<string>>): string[] {
  const taken: string[] = [];
  for (let next = queue.take(); next !== undefined; next = queue.take()) taken.push(next);
  return taken;
}

describe('the queue of turns', () => {
  it('serves organisations in turn, and within each its lanes in turn, however many one of them has', () => {
    const queue = createFairQueue<string>();
    for (const lane of ['a1', 'a2', 'a3', 'a4']) queue.add('a', lane);
    queue.add('b', 'b1');
    queue.add('c', 'c1');
    expect(takeAll(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'a3', 'a4']);
  });

  it('lets who was served and comes again wait behind the others', () => {
    const queue = createFairQueue<string>();
    queue.add('a', 'a1');
    queue.add('a', 'a2');
    queue.add('b', 'b1');
    expect(queue.take()).toBe('a1');
    queue.add('a', 'a1');
    expect(takeAll(queue)).toEqual(['b1', 'a2', 'a1']);
  });

  it('has a member once, and forgets one that is removed', () => {
    const queue = createFairQueue<string>();
    queue.add('a', 'a1');
    queue.add('a', 'a1');
    queue.add('a', 'a2');
    expect(queue.size).toBe(2);
    queue.remove('a', 'a1');
    queue.remove('b', 'a2');
    expect(takeAll(queue)).toEqual(['a2']);
    expect(queue.size).toBe(0);
  });
});
