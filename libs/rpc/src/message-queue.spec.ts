import type { DomainError } from '@posthorn/models';
import { MessageQueue } from './message-queue.ts';

function open() {
  const events: (number | string)[] = [];
  const sink = {
    message: (message: number): void => void events.push(message),
    end: (error: DomainError | null): void => void events.push(`end ${error?.code ?? 'well'}`),
    drained: (): void => void events.push('drained'),
  };
  return { queue: new MessageQueue<number>(sink), sink, events };
}
const microtasks = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('one direction of a stream', () => {
  it('hands messages over in order, then the end, and nothing within the call of the sender', async () => {
    const { queue, events } = open();
    queue.resume();

    queue.push(1);
    queue.push(2);
    queue.end(null);
    expect(events).toEqual([]);
    await microtasks();

    expect(events).toEqual([1, 2, 'end well']);
  });

  it('hands over nothing before it is resumed', async () => {
    const { queue, events } = open();
    queue.push(1);
    queue.end(null);
    await microtasks();
    expect(events).toEqual([]);

    queue.resume();
    await microtasks();

    expect(events).toEqual([1, 'end well']);
  });

  it('stops in the midst of a batch when it is paused, and goes on with the next message', async () => {
    const { queue, sink, events } = open();
    sink.message = (message) => {
      events.push(message);
      if (message === 2) queue.pause();
    };
    queue.resume();
    for (const message of [1, 2, 3, 4]) queue.push(message);
    await microtasks();
    expect(events).toEqual([1, 2]);
    queue.push(5);

    queue.resume();
    await microtasks();

    expect(events).toEqual([1, 2, 3, 4, 5]);
  });

  it('drops everything once it is discarded, in the midst of a batch too', async () => {
    const { queue, sink, events } = open();
    sink.message = (message) => {
      events.push(message);
      queue.discard();
    };
    queue.resume();
    for (const message of [1, 2, 3]) queue.push(message);
    queue.end(null);
    await microtasks();

    expect(queue.push(4)).toBe(false);
    await microtasks();

    expect(events).toEqual([1]);
  });

  it('asks the sender to wait when too much is waiting, and tells it when there is room', async () => {
    const { queue, events } = open();
    let sent = 0;
    while (queue.push(sent++));
    expect(sent).toBeLessThan(1_000);
    expect(queue.push(sent)).toBe(false);

    queue.resume();
    await microtasks();

    expect(events).toHaveLength(sent + 2);
    expect(events.at(-1)).toBe('drained');
    expect(queue.push(1)).toBe(true);
  });

  it('takes nothing after its end, and ends once', async () => {
    const { queue, events } = open();
    queue.resume();
    queue.end(null);
    queue.end(null);

    expect(queue.push(1)).toBe(false);
    await microtasks();

    expect(events).toEqual(['end well']);
  });
});
