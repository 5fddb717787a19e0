import { AssignerProtocol, type Assigner, type Cluster, type Logger, type PartitionAssigner } from 'kafkajs';
import { stickyAssigner } from './sticky-assigner.ts';

const topic = 'events';

/** As kafkajs makes it: of the cluster only the topic's partitions are asked for. */
function made(create: PartitionAssigner, partitions = 4): Assigner {
  const cluster: Pick<Cluster, 'findTopicPartitionMetadata'> = {
    findTopicPartitionMetadata: () =>
      Array.from({ length: partitions }, (_, partitionId) => ({
        partitionErrorCode: 0,
        partitionId,
        leader: 1,
        replicas: [1],
        isr: [1],
      })),
  };
  return create({ cluster: cluster as Cluster, groupId: 'group', logger: {} as Logger });
}

async function share(assigner: Assigner, members: Record<string, Buffer>): Promise<Record<string, unknown>> {
  const answers = await assigner.assign({
    members: Object.entries(members).map(([memberId, memberMetadata]) => ({ memberId, memberMetadata })),
    topics: [topic],
  });
  return Object.fromEntries(
    answers.map(({ memberId, memberAssignment }) => [
      memberId,
      AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment,
    ]),
  );
}

describe('the sticky assigner', () => {
  it('leaves to each member what it says it reads', async () => {
    const metadata = (partitions: number[]): Buffer =>
      made(stickyAssigner(topic, () => ({ partitions, generation: 2 }))).protocol({ topics: [topic] })
        .metadata;
    const assigner = made(stickyAssigner(topic, () => ({ partitions: [], generation: -1 })));
    expect(await share(assigner, { a: metadata([1, 3]), b: metadata([0]), c: metadata([]) })).toEqual({
      a: { [topic]: [1, 3] },
      b: { [topic]: [0] },
      c: { [topic]: [2] },
    });
  });

  it('asks anew what is read whenever the group comes together', () => {
    let partitions = [1];
    const assigner = made(stickyAssigner(topic, () => ({ partitions, generation: 1 })));
    const first = assigner.protocol({ topics: [topic] }).metadata;
    partitions = [1, 2];
    expect(assigner.protocol({ topics: [topic] }).metadata.equals(first)).toBe(false);
  });

  it('takes a member that says nothing we understand for a newcomer', async () => {
    const foreign = (userData: Buffer): Buffer =>
      AssignerProtocol.MemberMetadata.encode({ version: 1, topics: [topic], userData });
    const assigner = made(
      stickyAssigner(topic, () => ({ partitions: [], generation: -1 })),
      2,
    );
    expect(
      await share(assigner, { a: foreign(Buffer.alloc(0)), b: foreign(Buffer.from('{"partitions":"all"}')) }),
    ).toEqual({ a: { [topic]: [0] }, b: { [topic]: [1] } });
  });
});
