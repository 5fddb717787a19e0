import { FakeClock, createSeededRandom } from '@posthorn/testing';
import { createMetrics, silentLogger } from '@posthorn/runtime';
import fc from 'fast-check';
import { createHomes, hasHome } from './homes.ts';
import type { Lease, LeaseStore } from '../ownership/lease-store.ts';
import { createLimitShares } from './limit-shares.ts';
import { createOwnership, type Ownership } from '../ownership/ownership.ts';
import { endpointId, simulatedEndpoint } from '../simulation/simulated-life.harness.ts';

const endpointOf = (number: number, maxInFlight: number, perSecond?: number) => {
  const signing = simulatedEndpoint({ organisationId: 'org' }, number);
  const rateLimit = perSecond === undefined ? null : { perSecond, burst: 1 };
  return { ...signing, endpoint: { ...signing.endpoint, maxInFlight, rateLimit } };
};

/** Leases that anyone may take at once, each with what its former owner left. */
function leasesOf(left: Lease['left'] = []): LeaseStore {
  const lease = (partition: number): Lease => ({ partition, owner: null, epoch: 1, beat: 1, next: 1, left });
  return {
    isExclusive: false,
    find: (partition) => Promise.resolve(lease(partition)),
    take: ({ partition }, owner) => Promise.resolve({ ...lease(partition), owner, epoch: 2 }),
    renew: () => Promise.reject(new Error('away')),
    giveBack: () => Promise.resolve(),
  };
}

async function owning(partitions: number, held: readonly number[], left?: Lease['left']) {
  const clock = new FakeClock();
  const ownership = createOwnership({
    leases: leasesOf(left),
    clock,
    random: createSeededRandom(1),
    logger: silentLogger,
    metrics: createMetrics(),
  });
  for (const partition of held) await ownership.acquire(partition);
  const homes = createHomes(() => partitions);
  const { placesOf: shares } = createLimitShares({ homes, ownership, partitions: () => partitions });
  return { clock, ownership, homes, shares };
}

describe('the home of an endpoint', () => {
  it('is one of the partitions, the same for everyone, and spread over them', () => {
    const homes = createHomes(() => 12);
    const places = Array.from({ length: 600 }, (_, number) => homes.place(endpointId(number)));
    expect(places).toEqual(
      Array.from({ length: 600 }, (_, number) => createHomes(() => 12).place(endpointId(number))),
    );
    for (let partition = 0; partition < 12; partition += 1) {
      const count = places.filter((place) => place === partition).length;
      expect(count).toBeGreaterThan(20);
      expect(count).toBeLessThan(100);
    }
  });

  it.each([
    [100, undefined, false],
    [12, undefined, false],
    [11, undefined, true],
    [1, undefined, true],
    [100, 5, true],
  ])(
    'is asked for by few places or a rate limit (%j places, %j a second: %j)',
    (places, perSecond, expected) => {
      expect(hasHome(endpointOf(1, places, perSecond).endpoint, 12)).toBe(expected);
    },
  );

  it('is nowhere else where there is one partition, and only a rate limit asks for it', () => {
    const homes = createHomes(() => 1);
    expect(homes.of(endpointOf(1, 1).endpoint)).toBeNull();
    expect(homes.of(endpointOf(1, 1, 5).endpoint)).toBe(0);
  });
});

describe('16: the shares of a limit', () => {
  it('add up to no more than it, and to no less than one for each partition, however partitions are held', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 24 }),
        fc.integer({ min: 1, max: 1000 }),
        fc.array(fc.nat({ max: 4 }), { minLength: 24, maxLength: 24 }),
        async (partitions, maxInFlight, owners) => {
          const endpoint = endpointOf(1, maxInFlight);
          let total = 0;
          for (let owner = 0; owner <= 4; owner += 1) {
            const held = Array.from({ length: partitions }, (_, one) => one).filter(
              (one) => owners[one] === owner,
            );
            const { shares, homes } = await owning(partitions, held);
            const share = shares(endpoint);
            total += share;
            if (homes.of(endpoint.endpoint) === null) expect(share).toBeGreaterThanOrEqual(held.length);
          }
          expect(total).toBeLessThanOrEqual(maxInFlight);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are all the places at home, and none elsewhere', async () => {
    const endpoint = endpointOf(1, 3);
    const home = createHomes(() => 12).place(endpoint.endpoint.id);
    expect((await owning(12, [home])).shares(endpoint)).toBe(3);
    const others = Array.from({ length: 12 }, (_, one) => one).filter((one) => one !== home);
    expect((await owning(12, others)).shares(endpoint)).toBe(0);
  });

  it('are gone with the certainty of the lease, and at once when a partition is being handed over', async () => {
    const endpoint = endpointOf(1, 100);
    const { clock, ownership, shares } = await owning(4, [0, 1]);
    expect(shares(endpoint)).toBe(50);
    ownership.end(0);
    expect(shares(endpoint)).toBe(25);
    clock.advance(10_000);
    expect(shares(endpoint)).toBe(0);
  });

  it('leave unused what a former owner still uses, until that has ended', async () => {
    const [busy, other] = [endpointOf(1, 100), endpointOf(2, 100)];
    const left = [
      { claim: 'them', forMs: 5000, crowded: [{ endpointId: busy.endpoint.id, attempts: 20 }] },
      { claim: 'others', forMs: 1000 },
    ];
    const { clock, ownership, shares } = await owning(4, [0, 1], left);
    expect([shares(busy), shares(other)]).toEqual([10, 50]);
    clock.advance(5000);
    expect([shares(busy), shares(other)]).toEqual([50, 50]);
    expect(isQuiet(ownership)).toBe(true);
  });
});

const isQuiet = (ownership: Ownership): boolean =>
  ownership.held().every(({ crowded }) => crowded.size === 0);
