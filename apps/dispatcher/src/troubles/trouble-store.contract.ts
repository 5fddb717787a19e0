import type { EndpointTrouble, TroubleStore } from './trouble-store.ts';

export interface TroubleStoreUnderTest {
  readonly troubles: TroubleStore;
  close(): Promise<void>;
}

const at = (second: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, second));

function trouble(endpointId: string, over: Partial<EndpointTrouble> = {}): EndpointTrouble {
  return { organisationId: 'org', endpointId, failingSince: at(1), openUntil: null, ...over };
}

/** What every adapter of the store of troubles guarantees. */
export function describeTroubleStore(name: string, open: () => Promise<TroubleStoreUnderTest>): void {
  describe(`${name} keeps the contract of the store of troubles`, () => {
    let subject: TroubleStoreUnderTest;
    let troubles: TroubleStore;
    beforeEach(async () => {
      subject = await open();
      troubles = subject.troubles;
    });
    afterEach(() => subject.close());

    it('keeps the trouble that was begun first, and tells its begin from the others', async () => {
      const first = trouble('a');
      expect(await troubles.begin(first)).toEqual({ trouble: first, isNew: true });
      expect(await troubles.begin(trouble('a', { failingSince: at(2) }))).toEqual({
        trouble: first,
        isNew: false,
      });
      expect(await troubles.begin(first)).toEqual({ trouble: first, isNew: false });
      expect(await troubles.find('org', ['a', 'b'])).toEqual([first]);
    });

    it('forgets those of one organisation, and no others', async () => {
      const kept = trouble('c', { organisationId: 'org-2' });
      for (const one of [trouble('a'), trouble('b'), kept]) await troubles.begin(one);
      await troubles.forget('org');
      expect(await troubles.list(null, 10)).toEqual([kept]);
    });

    it('lets exactly one of many begin it', async () => {
      const begun = await Promise.all(
        Array.from({ length: 8 }, (_, second) => troubles.begin(trouble('a', { failingSince: at(second) }))),
      );
      expect(begun.filter(({ isNew }) => isNew)).toHaveLength(1);
      expect(new Set(begun.map((one) => one.trouble.failingSince.getTime())).size).toBe(1);
    });

    it('keeps until when it is open as it was told last, and forgets that by nothing else', async () => {
      await troubles.begin(trouble('a', { openUntil: at(10) }));
      await troubles.begin(trouble('a', { openUntil: at(20) }));
      await troubles.begin(trouble('a'));
      expect(await troubles.find('org', ['a'])).toEqual([trouble('a', { openUntil: at(20) })]);
    });

    it('ends a trouble once, and never one that began at another time', async () => {
      await troubles.begin(trouble('a'));
      expect(await troubles.end(trouble('a', { failingSince: at(2) }))).toBe(false);
      expect(await troubles.end(trouble('a'))).toBe(true);
      expect(await troubles.end(trouble('a'))).toBe(false);
      expect(await troubles.find('org', ['a'])).toEqual([]);
      expect((await troubles.begin(trouble('a', { failingSince: at(3) }))).isNew).toBe(true);
    });

    it('finds nothing of another organisation, and changes nothing of it', async () => {
      await troubles.begin(trouble('a'));
      expect(await troubles.find('other', ['a'])).toEqual([]);
      expect(await troubles.end({ ...trouble('a'), organisationId: 'other' })).toBe(false);
      expect(await troubles.find('org', ['a'])).toHaveLength(1);
    });

    it('lists all of them in order, a page at a time', async () => {
      for (const [organisationId, endpointId] of [
        ['p', 'a'],
        ['o', 'c'],
        ['o', 'b'],
      ] as const) {
        await troubles.begin(trouble(endpointId, { organisationId }));
      }
      const places = async (...args: Parameters<TroubleStore['list']>): Promise<string[]> =>
        (await troubles.list(...args)).map((one) => `${one.organisationId} ${one.endpointId}`);
      expect(await places(null, 10)).toEqual(['o b', 'o c', 'p a']);
      expect(await places(null, 2)).toEqual(['o b', 'o c']);
      expect(await places({ organisationId: 'o', endpointId: 'c' }, 2)).toEqual(['p a']);
    });
  });
}
