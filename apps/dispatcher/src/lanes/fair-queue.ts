/**
 * Whose turn it is: round robin over groups (organisations), and within each over its members (lanes). A member stands in
 * the queue at most once; taking it gives its group's next member the group's next turn. All operations are O(1).
 */
export interface FairQueue<M> {
  /** Does nothing when the member stands in the queue already. */
  add(group: string, member: M): void;
  /** The member whose turn it is, taken out. */
  take(): M | undefined;
  remove(group: string, member: M): void;
  readonly size: number;
}

export function createFairQueue<M>(): FairQueue<M> {
  /** Insertion order is the order of turns: whoever was served goes to the end. */
  const groups = new Map<string, Set<M>>();
  let size = 0;

  return {
    add(group, member) {
      const members = groups.get(group);
      if (members === undefined) groups.set(group, new Set([member]));
      else if (members.has(member)) return;
      else members.add(member);
      size += 1;
    },
    take() {
      for (const [group, members] of groups) {
        groups.delete(group);
        for (const member of members) {
          members.delete(member);
          size -= 1;
          if (members.size > 0) groups.set(group, members);
          return member;
        }
      }
      return undefined;
    },
    remove(group, member) {
      const members = groups.get(group);
      if (members?.delete(member) !== true) return;
      size -= 1;
      if (members.size === 0) groups.delete(group);
    },
    get size() {
      return size;
    },
  };
}
