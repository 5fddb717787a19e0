import type { Reservation, ReservationStore } from './reservations.ts';

/** Far ahead: a database that removes by its own clock what has expired leaves it alone. */
const start = Date.parse('2126-01-01T00:00:00Z');
const day = 24 * 60 * 60 * 1000;

function reservation(over: Partial<Reservation> = {}): Reservation {
  return {
    organisationId: 'organisation-1',
    kind: 'key',
    name: 'order-1',
    eventId: 'event-1',
    digest: new Uint8Array(32).fill(1),
    acceptedAt: new Date(start),
    expiresAt: new Date(start + day),
    ...over,
  };
}

/** What every adapter of ReservationStore guarantees. `open` makes an empty store. */
export function reservationStoreContract(
  open: () => Promise<{ store: ReservationStore; close: () => Promise<void> }>,
): void {
  let store: ReservationStore;
  let close: () => Promise<void>;

  beforeEach(async () => {
    ({ store, close } = await open());
  });
  afterEach(() => close());

  it('gives a free name to the first who asks and shows it to everyone after', async () => {
    const first = reservation();
    const second = reservation({ eventId: 'event-2', digest: new Uint8Array(32).fill(2) });
    expect(await store.reserve(first)).toEqual({ made: true, reservation: first });
    expect(await store.reserve(second)).toEqual({ made: false, reservation: first });
    expect(await store.reserve(first)).toEqual({ made: false, reservation: first });
  });

  it('lets exactly one of many concurrent callers have the name', async () => {
    const wanted = Array.from({ length: 50 }, (_, index) => reservation({ eventId: `event-${index}` }));
    const results = await Promise.all(wanted.map((each) => store.reserve(each)));
    const winners = results.filter(({ made }) => made);
    expect(winners).toHaveLength(1);
    expect(new Set(results.map((result) => result.reservation.eventId)).size).toBe(1);
  });

  it('keeps organisations, and keys and ids, apart', async () => {
    const several = [
      reservation(),
      reservation({ organisationId: 'organisation-2' }),
      reservation({ kind: 'id' }),
      reservation({ name: 'order-2' }),
    ];
    for (const each of several) expect((await store.reserve(each)).made).toBe(true);
  });

  it('replaces a reservation from the moment at which it expires, and not before', async () => {
    await store.reserve(reservation());
    const early = reservation({ eventId: 'event-2', acceptedAt: new Date(start + day - 1) });
    expect((await store.reserve(early)).made).toBe(false);
    const late = reservation({
      eventId: 'event-3',
      acceptedAt: new Date(start + day),
      expiresAt: new Date(start + 2 * day),
    });
    expect(await store.reserve(late)).toEqual({ made: true, reservation: late });
    expect((await store.reserve(early)).reservation).toEqual(late);
  });

  it('lets exactly one of many concurrent callers replace an expired reservation', async () => {
    await store.reserve(reservation());
    const wanted = Array.from({ length: 20 }, (_, index) =>
      reservation({
        eventId: `late-${index}`,
        acceptedAt: new Date(start + day),
        expiresAt: new Date(start + 2 * day),
      }),
    );
    const results = await Promise.all(wanted.map((each) => store.reserve(each)));
    expect(results.filter(({ made }) => made)).toHaveLength(1);
  });

  it('releases only the very reservation that is named', async () => {
    const held = reservation();
    await store.reserve(held);
    await store.release(reservation({ eventId: 'event-2' }));
    await store.release(reservation({ digest: new Uint8Array(32).fill(9) }));
    expect((await store.reserve(held)).made).toBe(false);
    await store.release(held);
    expect((await store.reserve(reservation({ eventId: 'event-2' }))).made).toBe(true);
  });

  it('shows who holds a name, until the moment at which that expires, and takes nothing', async () => {
    const held = reservation();
    const asked = reservation({ eventId: 'event-2', digest: new Uint8Array(32).fill(2) });
    expect(await store.find(asked)).toBeNull();
    await store.reserve(held);
    expect(await store.find(asked)).toEqual(held);
    expect(await store.find({ ...asked, kind: 'id' })).toBeNull();
    expect(await store.find({ ...asked, organisationId: 'organisation-2' })).toBeNull();
    expect(await store.find({ ...asked, acceptedAt: new Date(start + day - 1) })).toEqual(held);
    expect(await store.find({ ...asked, acceptedAt: new Date(start + day) })).toBeNull();
  });

  it('sweeps what has expired, at most so many at once, and nothing else', async () => {
    for (let index = 0; index < 5; index += 1) await store.reserve(reservation({ name: `old-${index}` }));
    const kept = reservation({ name: 'kept', expiresAt: new Date(start + day + 1) });
    await store.reserve(kept);
    expect(await store.sweep(new Date(start + day - 1), 10)).toBe(0);
    expect(await store.sweep(new Date(start + day), 3)).toBe(3);
    expect(await store.sweep(new Date(start + day), 3)).toBe(2);
    expect(await store.sweep(new Date(start + day), 3)).toBe(0);
    expect((await store.reserve(kept)).made).toBe(false);
  });
}
