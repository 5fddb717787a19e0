import fc from 'fast-check';
import { assignSticky, type GroupMember } from './sticky-assignment.ts';

const partitionsOf = (count: number): number[] => Array.from({ length: count }, (_, partition) => partition);

const situation = fc.integer({ min: 0, max: 40 }).chain((count) =>
  fc.record({
    partitions: fc.constant(partitionsOf(count)),
    members: fc.uniqueArray(
      fc.record({
        id: fc.string({ minLength: 1, maxLength: 6 }),
        // Claims may contradict each other, repeat, and name partitions that aren't there.
        owned: fc.array(fc.integer({ min: 0, max: count + 3 }), { maxLength: 50 }),
        generation: fc.integer({ min: -1, max: 3 }),
      }),
      { selector: ({ id }) => id, minLength: 1, maxLength: 9 },
    ),
  }),
);

const flat = (assignment: ReadonlyMap<string, readonly number[]>): number[] =>
  [...assignment.values()].flat().sort((a, b) => a - b);

/** How members see themselves once they were told. */
const asMembers = (assignment: ReadonlyMap<string, readonly number[]>, generation: number): GroupMember[] =>
  [...assignment].map(([id, owned]) => ({ id, owned, generation }));

describe('assignSticky', () => {
  it('gives every partition to exactly one member, whatever they claim', () => {
    fc.assert(
      fc.property(situation, ({ members, partitions }) => {
        const assignment = assignSticky(members, partitions);
        expect(flat(assignment)).toEqual(partitions);
        expect([...assignment.keys()].sort()).toEqual(members.map(({ id }) => id).sort());
      }),
    );
  });

  it('gives nobody two more than anyone else', () => {
    fc.assert(
      fc.property(situation, ({ members, partitions }) => {
        const sizes = [...assignSticky(members, partitions).values()].map(({ length }) => length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('moves nothing when nobody came or left', () => {
    fc.assert(
      fc.property(situation, ({ members, partitions }) => {
        const assignment = assignSticky(members, partitions);
        expect(assignSticky(asMembers(assignment, 1), partitions)).toEqual(assignment);
      }),
    );
  });

  it('moves to a newcomer only its share, and nothing between the others', () => {
    fc.assert(
      fc.property(situation, ({ members, partitions }) => {
        const before = assignSticky(members, partitions);
        const newcomer: GroupMember = { id: 'a newcomer', owned: [], generation: -1 };
        const after = assignSticky([...asMembers(before, 1), newcomer], partitions);
        for (const [id, owned] of before) {
          expect(owned).toEqual(expect.arrayContaining(after.get(id) as number[]));
        }
        expect(after.get(newcomer.id)?.length).toBeLessThanOrEqual(
          Math.ceil(partitions.length / (members.length + 1)),
        );
      }),
    );
  });

  it('takes from nobody what a member that left had', () => {
    fc.assert(
      fc.property(situation, fc.nat(), ({ members, partitions }, who) => {
        fc.pre(members.length > 1);
        const before = assignSticky(members, partitions);
        const gone = [...before.keys()][who % before.size];
        const rest = asMembers(before, 1).filter(({ id }) => id !== gone);
        const after = assignSticky(rest, partitions);
        for (const { id, owned } of rest) expect(after.get(id)).toEqual(expect.arrayContaining([...owned]));
      }),
    );
  });

  it("doesn't depend on the order of the members or partitions", () => {
    fc.assert(
      fc.property(situation, ({ members, partitions }) => {
        const one = assignSticky(members, partitions);
        const other = assignSticky([...members].reverse(), [...partitions].reverse());
        expect([...other].sort()).toEqual([...one].sort());
      }),
    );
  });

  it('believes the member that was heard of last when two claim the same partition', () => {
    const assignment = assignSticky(
      [
        { id: 'a', owned: [0, 1], generation: 3 },
        { id: 'b', owned: [0, 1], generation: 4 },
        { id: 'c', owned: [2, 3], generation: 4 },
      ],
      partitionsOf(4),
    );
    expect(assignment).toEqual(
      new Map([
        ['a', [3]],
        ['b', [0, 1]],
        ['c', [2]],
      ]),
    );
  });
});
