import { DomainError } from '@posthorn/models';
import { createMetrics } from '@posthorn/runtime';
import { FakeClock } from '@posthorn/testing';
import { createAppendQueues, type AppendLimits, type AppendQueues } from './append-queues.ts';
import { writerMetrics } from './writer-metrics.ts';

interface Sent {
  readonly partition: number;
  readonly messages: readonly string[];
  acknowledge(): void;
  fail(error: Error): void;
}

const limits: AppendLimits = {
  maxWaiting: 100,
  maxWaitingBytes: 1000,
  maxEvents: 3,
  maxBytes: 100,
  deadlineMs: 10_000,
};

/** Queues before a log that acknowledges when it is told to. A message's size is its length. */
function setUp(over: Partial<AppendLimits> = {}) {
  const clock = new FakeClock();
  const sent: Sent[] = [];
  const metrics = createMetrics();
  const queues: AppendQueues<string> = createAppendQueues<string>({
    partitions: 2,
    bytesOf: ({ length }) => length,
    send: (partition, messages) =>
      new Promise((resolve, reject) => {
        sent.push({ partition, messages, acknowledge: resolve, fail: reject });
      }),
    limits: { ...limits, ...over },
    clock,
    metrics: writerMetrics(metrics, () => queues.waiting),
  });
  /** What became of each, by message; absent while it waits. */
  const answers: Record<string, string> = {};
  const append = (partition: number, ...messages: string[]): void => {
    for (const message of messages) {
      queues.append(partition, message).then(
        () => (answers[message] = 'appended'),
        (error: unknown) => (answers[message] = DomainError.from(error).code),
      );
    }
  };
  return { queues, sent, answers, append, clock, metrics };
}

const turn = (): Promise<void> => new Promise(setImmediate);
const tooLarge = Object.assign(new Error('too large'), { type: 'MESSAGE_TOO_LARGE' });

describe('the queues of a writer', () => {
  it('have one send of a partition under way; what comes meanwhile goes with the next, in order', async () => {
    const { sent, answers, append } = setUp();
    append(0, 'a');
    await turn();
    append(0, 'b', 'c', 'd', 'e');
    await turn();
    expect(sent.map(({ messages }) => messages)).toEqual([['a']]);
    sent[0]?.acknowledge();
    await turn();
    await turn();
    expect(sent.map(({ messages }) => messages)).toEqual([['a'], ['b', 'c', 'd']]);
    expect(answers).toEqual({ a: 'appended' });
    sent[1]?.acknowledge();
    await turn();
    await turn();
    expect(sent[2]?.messages).toEqual(['e']);
  });

  it('let one partition stall without any other', async () => {
    const { sent, answers, append } = setUp({ maxWaiting: 2 });
    append(0, 'stuck');
    await turn();
    append(0, 'behind it', 'behind it too', 'one too many');
    append(1, 'elsewhere');
    await turn();
    sent.find(({ partition }) => partition === 1)?.acknowledge();
    await turn();
    expect(answers).toEqual({ 'one too many': 'unavailable', elsewhere: 'appended' });
    append(1, 'again');
    await turn();
    sent.filter(({ partition }) => partition === 1)[1]?.acknowledge();
    await turn();
    expect(answers).toHaveProperty('again', 'appended');
    expect(sent.filter(({ partition }) => partition === 0)).toHaveLength(1);
  });

  it('refuse at once what is over their bytes', async () => {
    const { answers, append } = setUp({ maxWaitingBytes: 10 });
    append(0, 'first');
    await turn();
    append(0, '12345678', '123');
    await turn();
    expect(answers).toEqual({ '123': 'unavailable' });
  });

  it('answer everybody by the deadline, and do not send what nobody waits for any more', async () => {
    const { sent, answers, append, clock, queues } = setUp();
    append(0, 'under way');
    await turn();
    append(0, 'behind');
    await clock.advanceAsync(5000);
    append(0, 'late');
    await clock.advanceAsync(5250);
    expect(answers).toEqual({ 'under way': 'unavailable', behind: 'unavailable' });
    expect(sent).toHaveLength(1);
    sent[0]?.acknowledge();
    await turn();
    await turn();
    expect(sent[1]?.messages).toEqual(['late']);
    sent[1]?.acknowledge();
    await turn();
    expect(answers['under way']).toBe('unavailable');
    expect(answers['late']).toBe('appended');
    expect(queues.waiting).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('keep a send apart from the next one, though nobody waits for it any more', async () => {
    const { sent, append, clock, queues } = setUp();
    append(0, 'stuck');
    await clock.advanceAsync(10_250);
    await queues.drain();
    append(0, 'next');
    await turn();
    expect(sent.map(({ messages }) => messages)).toEqual([['stuck']]);
    let settled = false;
    const settling = queues.settled().then(() => (settled = true));
    await turn();
    expect(settled).toBe(false);
    sent[0]?.fail(new Error('given up'));
    await turn();
    await turn();
    expect(sent[1]?.messages).toEqual(['next']);
    sent[1]?.acknowledge();
    await settling;
  });

  it('answer a whole group as not known when its send fails, and go on with the next', async () => {
    const { sent, answers, append } = setUp();
    append(0, 'a', 'b');
    await turn();
    sent[0]?.fail(new Error('the connection broke'));
    await turn();
    append(0, 'c');
    await turn();
    sent[1]?.acknowledge();
    await turn();
    expect(answers).toEqual({ a: 'unavailable', b: 'unavailable', c: 'appended' });
  });

  it('find out which one of a group is too large, and keep the others', async () => {
    const { sent, answers, append } = setUp();
    append(0, 'a', 'large', 'b');
    await turn();
    for (let at = 0; at < 4; at++) {
      const one = sent[at];
      if (one?.messages.includes('large')) one.fail(tooLarge);
      else one?.acknowledge();
      await turn();
    }
    expect(sent.map(({ messages }) => messages)).toEqual([['a', 'large', 'b'], ['a'], ['large'], ['b']]);
    expect(answers).toEqual({ a: 'appended', large: 'payload_too_large', b: 'appended' });
  });

  it('are drained when everybody is answered', async () => {
    const { sent, append, queues } = setUp();
    append(0, 'a');
    append(1, 'b');
    await turn();
    let drained = false;
    const draining = queues.drain().then(() => (drained = true));
    sent[0]?.acknowledge();
    await turn();
    expect(drained).toBe(false);
    sent[1]?.acknowledge();
    await draining;
    await expect(queues.drain()).resolves.toBeUndefined();
  });

  it('count what is refused, by code', async () => {
    const { sent, append, metrics } = setUp();
    append(0, 'a');
    await turn();
    sent[0]?.fail(tooLarge);
    await turn();
    expect(await metrics.render()).toContain(
      'posthorn_log_append_failures_total{code="payload_too_large"} 1',
    );
  });
});
