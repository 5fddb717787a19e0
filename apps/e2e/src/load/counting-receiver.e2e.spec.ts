/** That the suites' receiver would notice: needs no servers. */
import { startCountingReceiver, type CountingReceiver } from './counting-receiver.ts';
import type { PublishedEvent } from './steady-load.ts';

let receiver: CountingReceiver;
beforeEach(async () => void (receiver = await startCountingReceiver()));
afterEach(() => receiver.close());

async function deliver(id: string, data: PublishedEvent): Promise<number> {
  const answer = await fetch(`${receiver.url}/path`, {
    method: 'POST',
    headers: { 'webhook-id': id },
    body: JSON.stringify({ type: 'load', data }),
  });
  return answer.status;
}
const event = (n: number): PublishedEvent => ({ client: 'keyed-1', n });
const accepted = (id: string) => ({ ...event(0), id, acceptedAtMs: 0 });

describe('the receiver of the suites', () => {
  it('misses what never came and what it has refused', async () => {
    expect(await deliver('a', event(0))).toBe(204);
    receiver.refuseShare = 1;
    expect(await deliver('b', event(1))).toBe(500);
    const ledger = receiver.at('/path');
    expect(ledger.missing(['a', 'b', 'c'].map(accepted)).map(({ id }) => id)).toEqual(['b', 'c']);
    expect(ledger.refused).toBe(1);
  });

  it('counts what comes again, and not what it had refused', async () => {
    receiver.refuseShare = 1;
    await deliver('a', event(0));
    receiver.refuseShare = 0;
    await deliver('a', event(0));
    expect(receiver.at('/path').duplicates).toBe(0);
    await deliver('b', event(1));
    await deliver('b', event(1));
    await deliver('a', event(0));
    await deliver('a', event(0));
    expect(receiver.at('/path')).toMatchObject({ duplicates: 3, repeated: 2, lateDuplicates: 2 });
  });

  it('in a bad mood takes nothing, whatever it answers', async () => {
    receiver.mood = 'busy';
    expect(await deliver('a', event(0))).toBe(429);
    receiver.mood = 'resetting';
    await expect(deliver('a', event(0))).rejects.toThrow('fetch failed');
    expect(receiver.at('/path').takenAt('a')).toBeUndefined();
    receiver.mood = 'well';
    await deliver('a', event(0));
    expect(receiver.at('/path')).toMatchObject({ duplicates: 0, refused: 2 });
  });

  it('counts what comes while it is being answered', async () => {
    receiver.answerMs = 100;
    await Promise.all([deliver('a', event(0)), deliver('a', event(0))]);
    expect(receiver.at('/path').duplicates).toBe(1);
  });

  it('sees what overtakes, what is left out, and what comes before the one before it was taken', async () => {
    await deliver('a', event(0));
    await deliver('c', event(2));
    await deliver('b', event(1));
    receiver.refuseShare = 1;
    await deliver('d', event(3));
    await deliver('e', event(4));
    expect(receiver.at('/path').overtakings()).toEqual([
      'keyed-1: 2 came when 1 was to come',
      'keyed-1: 1 came when 3 was to come',
      'keyed-1: 4 came before 3 was taken',
    ]);
  });
});
