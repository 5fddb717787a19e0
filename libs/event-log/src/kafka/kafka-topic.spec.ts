import { weaknessesOf, type TopicFacts } from './kafka-topic.ts';

const strong: TopicFacts = {
  replication: 3,
  minInsyncReplicas: 2,
  retentionMs: 604_800_000,
  retentionBytes: -1,
  cleanupPolicy: 'delete',
  allowsUncleanElection: false,
};

describe('weaknessesOf', () => {
  it('finds none in a topic that keeps what it acknowledges for a week', () => {
    expect(weaknessesOf(strong)).toEqual([]);
    expect(weaknessesOf({ ...strong, retentionMs: -1 })).toEqual([]);
  });

  it.each<[string, Partial<TopicFacts>]>([
    ['retention.ms is 604799999', { retentionMs: 604_799_999 }],
    ['retention.bytes is 1000', { retentionBytes: 1000 }],
    ['cleanup.policy is compact,delete', { cleanupPolicy: 'compact,delete' }],
    ['it has 2 replicas', { replication: 2 }],
    ['min.insync.replicas is 1', { minInsyncReplicas: 1 }],
    ['min.insync.replicas is more than', { minInsyncReplicas: 4 }],
    ['unclean.leader.election.enable is true', { allowsUncleanElection: true }],
  ])('names: %s', (words, weak) => {
    expect(weaknessesOf({ ...strong, ...weak })).toEqual([expect.stringContaining(words)]);
  });

  it('names all of them at once', () => {
    expect(
      weaknessesOf({ ...strong, replication: 1, minInsyncReplicas: 1, allowsUncleanElection: true }),
    ).toHaveLength(3);
  });
});
