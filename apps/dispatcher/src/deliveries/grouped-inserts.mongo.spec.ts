import { DomainError } from '@posthorn/models';
import { createGroupedInserts } from './grouped-inserts.mongo.ts';

interface Thing {
  readonly _id: string;
  readonly isBad?: boolean;
}

/** A collection that keeps what it is given, refuses a name that it has, and fails at once with what is bad in it. */
function setUp() {
  const inserts: string[][] = [];
  const names = new Set<string>();
  const state: { away: boolean } = { away: false };
  const insertMany = (documents: readonly Thing[]): Promise<ReadonlySet<number>> => {
    inserts.push(documents.map(({ _id }) => _id));
    if (state.away) return Promise.reject(new DomainError('unavailable', 'away'));
    if (documents.some(({ isBad }) => isBad)) return Promise.reject(new Error('bad'));
    const refused = documents.flatMap(({ _id }, place) => (names.has(_id) ? [place] : []));
    for (const { _id } of documents) names.add(_id);
    return Promise.resolve(new Set(refused));
  };
  return { insert: createGroupedInserts<Thing>({ insertMany }, () => 1), inserts, state };
}

const things = (...names: readonly string[]): Thing[] => names.map((_id) => ({ _id }));

describe('grouped inserts', () => {
  it('are one for all who come in one turn, and tell each its own', async () => {
    const { insert, inserts } = setUp();
    await insert(things('b', 'e'));
    const refused = await Promise.all([
      insert(things('a', 'b')),
      insert(things('c')),
      insert(things('d', 'e', 'f')),
    ]);
    expect(inserts).toEqual([
      ['b', 'e'],
      ['a', 'b', 'c', 'd', 'e', 'f'],
    ]);
    expect(refused).toEqual([new Set([1]), new Set(), new Set([1])]);
  });

  it('take together what comes while one is under way', async () => {
    const { insert, inserts } = setUp();
    const first = insert(things('a'));
    await new Promise(setImmediate);
    await Promise.all([first, insert(things('b')), insert(things('c'))]);
    expect(inserts).toEqual([['a'], ['b', 'c']]);
  });

  it('let what is refused for good fail alone', async () => {
    const { insert } = setUp();
    const results = await Promise.allSettled([
      insert(things('a')),
      insert([{ _id: 'b', isBad: true }]),
      insert(things('c')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('fail together while the database is away, and are asked for once', async () => {
    const { insert, inserts, state } = setUp();
    state.away = true;
    const results = await Promise.allSettled([insert(things('a')), insert(things('b'))]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(inserts).toHaveLength(1);
  });
});
