import type { Admin, Kafka } from 'kafkajs';
import { createLogBounds } from './log-bounds.ts';

type Offsets = Awaited<ReturnType<Admin['fetchTopicOffsets']>>;
const offsets = (low: number, high: number): Offsets => [
  { partition: 0, low: String(low), high: String(high), offset: String(high) },
];

/** A Kafka that answers when it is told to. */
function fakeKafka() {
  const asked: { answer(offsets: Offsets): void; fail(): void }[] = [];
  const connections = { made: 0, open: 0 };
  const admin: Pick<Admin, 'connect' | 'disconnect' | 'fetchTopicOffsets'> = {
    connect() {
      connections.made += 1;
      connections.open += 1;
      return Promise.resolve();
    },
    disconnect() {
      connections.open -= 1;
      return Promise.resolve();
    },
    fetchTopicOffsets: () =>
      new Promise((resolve, reject) => {
        asked.push({ answer: resolve, fail: () => reject(new Error('away')) });
      }),
  };
  const kafka: Pick<Kafka, 'admin'> = { admin: () => admin as Admin };
  return { kafka, asked, connections };
}

const turn = (): Promise<void> => new Promise(setImmediate);

describe('the bounds of the log', () => {
  it('are told in positions, which begin with 1', async () => {
    const { kafka, asked } = fakeKafka();
    const bounds = createLogBounds(kafka, 'events');
    const read = bounds.read();
    await turn();
    asked[0]?.answer(offsets(4, 9));
    expect(await read).toEqual(new Map([[0, { first: 5, next: 10 }]]));
  });

  it('are never older than the question: who asks while one is under way gets the next answer', async () => {
    const { kafka, asked } = fakeKafka();
    const bounds = createLogBounds(kafka, 'events');
    const early = bounds.read();
    await turn();
    const late = [bounds.read(), bounds.read()];
    await turn();
    expect(asked).toHaveLength(1);
    asked[0]?.answer(offsets(0, 1));
    await early;
    await turn();
    expect(asked).toHaveLength(2);
    asked[1]?.answer(offsets(0, 2));
    expect((await Promise.all(late)).map((known) => known.get(0)?.next)).toEqual([3, 3]);
  });

  it('connect again after a failure, and leave nothing open', async () => {
    const { kafka, asked, connections } = fakeKafka();
    const bounds = createLogBounds(kafka, 'events');
    const failing = bounds.read();
    await turn();
    asked[0]?.fail();
    await expect(failing).rejects.toThrow('away');
    const read = bounds.read();
    await turn();
    asked[1]?.answer(offsets(0, 1));
    await read;
    await bounds.close();
    expect(connections).toEqual({ made: 2, open: 0 });
  });
});
