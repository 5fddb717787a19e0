import type { Lease, LeaseStore } from './lease-store.ts';

export interface LeaseStoreUnderTest {
  readonly leases: LeaseStore;
  /** Writes how far a partition has been read, as the delivery store does with what it records. */
  writeNext(books: {
    readonly partition: number;
    readonly epoch: number;
    readonly next: number;
  }): Promise<void>;
  close(): Promise<void>;
}

/** What every adapter of the lease store guarantees. */
export function describeLeaseStore(name: string, open: () => Promise<LeaseStoreUnderTest>): void {
  describe(`${name} keeps the contract of the lease store`, () => {
    let subject: LeaseStoreUnderTest;
    let leases: LeaseStore;
    beforeEach(async () => {
      subject = await open();
      leases = subject.leases;
    });
    afterEach(() => subject.close());

    async function take(partition: number, owner: string): Promise<Lease> {
      const lease = await leases.take(await leases.find(partition), owner);
      if (lease === null) throw new Error(`${owner} did not get partition ${partition}`);
      return lease;
    }

    it('knows every partition, also one that nobody has ever owned', async () => {
      expect(await leases.find(7)).toEqual({
        partition: 7,
        owner: null,
        epoch: 0,
        beat: 0,
        next: 1,
        left: [],
      });
    });

    it('counts the epoch and the beat up with every owner', async () => {
      const first = await take(0, 'a');
      expect(first).toMatchObject({ partition: 0, owner: 'a', epoch: 1, next: 1, left: [] });
      const second = await take(0, 'b');
      expect(second).toMatchObject({ owner: 'b', epoch: 2 });
      expect(second.beat).toBeGreaterThan(first.beat);
      expect(await leases.find(0)).toEqual(second);
      expect(await leases.find(1)).toMatchObject({ epoch: 0 });
    });

    it('gives a lease to exactly one of those who saw it', async () => {
      for (const round of ['never taken', 'taken', 'given back']) {
        if (round === 'taken') await take(0, 'old');
        const seen = await leases.find(0);
        const owners = ['a', 'b', 'c', 'd', 'e'];
        const taken = await Promise.all(owners.map((owner) => leases.take(seen, owner)));
        expect(taken.filter((lease) => lease !== null)).toHaveLength(1);
        const stands = await leases.find(0);
        expect(taken).toContainEqual(stands);
        if (round === 'taken') await leases.giveBack({ ...stands, left: [] });
      }
    });

    it('gives nobody a lease that showed a sign of life since it was seen', async () => {
      const held = await take(0, 'a');
      expect(await leases.renew([held])).toEqual(new Set([0]));
      expect(await leases.take(held, 'b')).toBeNull();
      const seen = await leases.find(0);
      expect(seen.beat).toBeGreaterThan(held.beat);
      expect(await leases.take(seen, 'b')).toMatchObject({ owner: 'b', epoch: held.epoch + 1 });
    });

    it('tells whose epoch stands no longer, and changes nothing for them', async () => {
      const [old, kept] = [await take(0, 'a'), await take(1, 'a')];
      const taken = await take(0, 'b');
      expect(await leases.renew([old, kept])).toEqual(new Set([1]));
      expect(await leases.find(0)).toEqual(taken);
      await leases.giveBack({ ...old, left: [{ claim: 'a/1', forMs: 5 }] });
      expect(await leases.find(0)).toEqual(taken);
    });

    it('is given back with what is still under way, which the next owner learns', async () => {
      const held = await take(0, 'a');
      await leases.giveBack({ ...held, left: [{ claim: 'a/1', forMs: 5000 }] });
      expect(await leases.find(0)).toMatchObject({ owner: null, epoch: held.epoch });
      expect(await leases.renew([held])).toEqual(new Set());
      expect(await take(0, 'b')).toMatchObject({ left: [{ claim: 'a/1', forMs: 5000 }] });
      expect(await leases.find(0)).toMatchObject({ left: [{ claim: 'a/1', forMs: 5000 }] });
      await leases.giveBack({ partition: 0, epoch: held.epoch + 1, left: [] });
      expect(await take(0, 'c')).toMatchObject({ left: [] });
    });

    it('keeps how far a partition has been read, from owner to owner, whoever else writes', async () => {
      const held = await take(0, 'a');
      await subject.writeNext({ partition: 0, epoch: held.epoch, next: 8 });
      await leases.giveBack({ ...held, left: [] });
      const next = await take(0, 'b');
      expect(next.next).toBe(8);
      await subject.writeNext({ partition: 0, epoch: held.epoch, next: 20 });
      expect(await leases.find(0)).toMatchObject({ next: 8 });
      // After a loss reading goes on where the log begins, or ends, now.
      await subject.writeNext({ partition: 0, epoch: next.epoch, next: 5 });
      expect(await leases.find(0)).toMatchObject({ next: 5 });
    });
  });
}
