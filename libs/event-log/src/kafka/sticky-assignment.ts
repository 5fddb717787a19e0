/**
 * Who reads which partition. Every partition has exactly one reader, nobody has two more than anyone else, and a partition
 * stays with its reader unless balance asks for it: moving one costs a hand-over of everything that is under way in it.
 * Pure, and the same for the same input, whatever its order.
 */
export interface GroupMember {
  readonly id: string;
  /** What it reads now, by its own account. */
  readonly owned: readonly number[];
  /** The generation of the group in which it got them: of two that claim a partition, the later one has it. */
  readonly generation: number;
}

export function assignSticky(
  members: readonly GroupMember[],
  partitions: readonly number[],
): Map<string, number[]> {
  const assignment = claimed(members, new Set(partitions));
  const fewest = Math.floor(partitions.length / Math.max(1, members.length));
  let withOneMore = partitions.length - fewest * members.length;
  // Those that have the most keep the most.
  const byClaims = [...assignment].sort(([a, x], [b, y]) => y.length - x.length || compare(a, b));
  const taken = new Set<number>();
  const room: { readonly list: number[]; readonly most: number }[] = [];
  for (const [, list] of byClaims) {
    const most = withOneMore > 0 ? fewest + 1 : fewest;
    if (withOneMore > 0) withOneMore -= 1;
    list.length = Math.min(list.length, most);
    for (const partition of list) taken.add(partition);
    if (list.length < most) room.push({ list, most });
  }
  const free = partitions.filter((partition) => !taken.has(partition)).sort((a, b) => a - b);
  for (const { list, most } of room) {
    list.push(...free.splice(0, most - list.length));
    list.sort((a, b) => a - b);
  }
  return assignment;
}

/** What each member keeps for now: what it claims, unless another one claims it with better reason. */
function claimed(members: readonly GroupMember[], partitions: ReadonlySet<number>): Map<string, number[]> {
  const ordered = [...members].sort((a, b) => b.generation - a.generation || compare(a.id, b.id));
  const assignment = new Map<string, number[]>();
  const taken = new Set<number>();
  for (const { id, owned } of ordered) {
    const mine = [...new Set(owned)].filter(
      (partition) => partitions.has(partition) && !taken.has(partition),
    );
    for (const partition of mine) taken.add(partition);
    assignment.set(
      id,
      mine.sort((a, b) => a - b),
    );
  }
  return assignment;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
