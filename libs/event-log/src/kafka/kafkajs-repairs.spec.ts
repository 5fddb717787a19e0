import metadataResponse from 'kafkajs/src/protocol/requests/metadata/v6/response.js';
import { repairKafkajs } from './kafkajs-repairs.ts';

const withLeaderOf = (partitionErrorCode: number, topicErrorCode = 0) => ({
  topicMetadata: [
    {
      topicErrorCode,
      topic: 'events',
      partitionMetadata: [
        { partitionErrorCode: 0, partitionId: 0, leader: 1 },
        { partitionErrorCode, partitionId: 1, leader: -1 },
      ],
    },
  ],
});

describe('kafkajs, mended', () => {
  beforeAll(() => repairKafkajs());

  it('knows who leads a partition while another one has no leader', async () => {
    const leaderNotAvailable = 5;
    const { topicMetadata } = await metadataResponse.parse(withLeaderOf(leaderNotAvailable));
    expect(topicMetadata[0]?.partitionMetadata.map(({ leader }) => leader)).toEqual([1, -1]);
  });

  it('still fails where the topic itself is at fault', async () => {
    const unknownTopic = 3;
    await expect(metadataResponse.parse(withLeaderOf(0, unknownTopic))).rejects.toMatchObject({
      type: 'UNKNOWN_TOPIC_OR_PARTITION',
    });
  });
});
