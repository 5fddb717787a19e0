import type { Cluster } from 'kafkajs';
import { createReadBounds } from './log-bounds.ts';

const cluster: Pick<Cluster, 'fetchTopicsOffset'> = {
  fetchTopicsOffset: ([asked]) => {
    const partition = asked?.partitions[0]?.partition ?? -1;
    if (partition === 1) return Promise.reject(new Error('there is no leader'));
    if (partition === 2) return Promise.resolve([]);
    const offset = asked?.fromBeginning === true ? '4' : '9';
    return Promise.resolve([{ topic: 'events', partitions: [{ partition, offset }] }]);
  },
};

describe('the bounds of a partition', () => {
  it('are told in positions, which begin with 1', async () => {
    expect(await createReadBounds(cluster, 'events')(0)).toEqual({ first: 5, next: 10 });
  });

  it('are asked for one partition at a time, so that one without a leader keeps no other waiting', async () => {
    const read = createReadBounds(cluster, 'events');
    const answers = await Promise.allSettled([read(1), read(0)]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  });

  it('are not made up of a partition that is not there', async () => {
    await expect(createReadBounds(cluster, 'events')(2)).rejects.toThrow('no partition 2 of "events"');
  });
});
