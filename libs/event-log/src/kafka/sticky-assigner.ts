import { AssignerProtocol, type PartitionAssigner } from 'kafkajs';
import { assignSticky } from './sticky-assignment.ts';

/** What a member says of itself each time the group comes together. */
export interface Ownership {
  readonly partitions: readonly number[];
  /** The group's generation in which it was last heard of. */
  readonly generation: number;
}

const name = 'posthorn-sticky';
const version = 1;

/**
 * `assignSticky` as kafkajs asks for it: each member brings along what it reads now, and the group's leader divides the
 * partitions. All members have to use the same assigner, so a change of what is encoded here takes another name.
 */
export function stickyAssigner(topic: string, ownership: () => Ownership): PartitionAssigner {
  return ({ cluster }) => ({
    name,
    version,
    protocol: ({ topics }) => ({
      name,
      metadata: AssignerProtocol.MemberMetadata.encode({ version, topics, userData: encode(ownership()) }),
    }),
    assign({ members }) {
      const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
      const assignment = assignSticky(
        members.map(({ memberId, memberMetadata }) => {
          const metadata = AssignerProtocol.MemberMetadata.decode(memberMetadata);
          const { partitions: owned, generation } = decode(metadata?.userData);
          return { id: memberId, owned, generation };
        }),
        partitions,
      );
      return Promise.resolve(
        [...assignment].map(([memberId, mine]) => ({
          memberId,
          memberAssignment: AssignerProtocol.MemberAssignment.encode({
            version,
            assignment: { [topic]: mine },
            userData: Buffer.alloc(0),
          }),
        })),
      );
    },
  });
}

function encode(ownership: Ownership): Buffer {
  return Buffer.from(JSON.stringify(ownership));
}

/** A member that says nothing we understand owns nothing. */
function decode(userData: Buffer | undefined): Ownership {
  try {
    const value: unknown = JSON.parse(userData?.toString() ?? '');
    if (typeof value === 'object' && value !== null && 'partitions' in value && 'generation' in value) {
      const { partitions, generation } = value;
      if (Array.isArray(partitions) && typeof generation === 'number') {
        return { partitions: partitions.filter((one) => Number.isSafeInteger(one)), generation };
      }
    }
  } catch {
    // Not ours.
  }
  return { partitions: [], generation: -1 };
}
