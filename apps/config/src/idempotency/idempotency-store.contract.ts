import type { Answer, ReservationRequest } from './idempotency-store.ts';
import type { ConfigStores } from '../stores/stores.ts';

/** Far ahead: a database that removes by its own clock what has expired leaves it alone. */
const start = Date.parse('2126-01-01T00:00:00.000Z');
const dayMs = 24 * 60 * 60 * 1000;
const minuteMs = 60 * 1000;

function request(over: Partial<ReservationRequest> = {}, atMs = start): ReservationRequest {
  return {
    owner: 'organisation-1',
    key: 'key-1',
    digest: new Uint8Array(32).fill(1),
    reservation: 'reservation-1',
    now: new Date(atMs),
    expiresAt: new Date(atMs + dayMs),
    staleBefore: new Date(atMs - minuteMs),
    ...over,
  };
}

const answer: Answer = {
  status: 201,
  headers: { location: '/v1/endpoints/1' },
  body: Uint8Array.from([0, 255, 10]),
};
const another = new Uint8Array(32).fill(2);

/** What every adapter of IdempotencyStore guarantees. `stores` gives empty stores for each test. */
export function idempotencyStoreContract(stores: () => ConfigStores): void {
  const store = () => stores().idempotency;
  const complete = (reservation: string, given: Answer | null): Promise<void> =>
    store().complete({ owner: 'organisation-1', key: 'key-1', reservation, answer: given });

  it('reserves a free key and says that it is in use from then on', async () => {
    expect(await store().reserve(request())).toEqual({ outcome: 'reserved' });
    expect(await store().reserve(request({ reservation: 'r2' }))).toEqual({ outcome: 'in_progress' });
  });

  it('reserves a key for exactly one of many concurrent callers', async () => {
    const callers = Array.from({ length: 30 }, (_, index) =>
      store().reserve(request({ reservation: `r${index}` })),
    );
    const outcomes = (await Promise.all(callers)).map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === 'reserved')).toHaveLength(1);
  });

  it('gives the same answer again, byte for byte', async () => {
    await store().reserve(request());
    await complete('reservation-1', answer);
    const again = await store().reserve(request({ reservation: 'r2' }));
    if (again.outcome !== 'answered') throw new Error(`the outcome is ${again.outcome}`);
    expect(again.answer).toMatchObject({ status: answer.status, headers: answer.headers });
    expect([...again.answer.body]).toEqual([...answer.body]);
  });

  it('refuses the key for another request, before and after the answer', async () => {
    await store().reserve(request());
    expect(await store().reserve(request({ digest: another }))).toEqual({ outcome: 'mismatch' });
    await complete('reservation-1', answer);
    expect(await store().reserve(request({ digest: another }))).toEqual({ outcome: 'mismatch' });
  });

  it('keeps the keys of owners apart', async () => {
    await store().reserve(request());
    expect(await store().reserve(request({ owner: 'organisation-2', digest: another }))).toEqual({
      outcome: 'reserved',
    });
  });

  it('frees a key that is completed without an answer', async () => {
    await store().reserve(request());
    await complete('reservation-1', null);
    expect(await store().reserve(request({ digest: another }))).toEqual({ outcome: 'reserved' });
  });

  it('lets a stale reservation be taken over by the same request only, and ignores its old holder', async () => {
    await store().reserve(request());
    const late = start + minuteMs + 1;
    expect(await store().reserve(request({ digest: another }, late))).toEqual({ outcome: 'mismatch' });
    expect(await store().reserve(request({ reservation: 'r2' }, late - 1))).toEqual({
      outcome: 'in_progress',
    });
    expect(await store().reserve(request({ reservation: 'r2' }, late))).toEqual({ outcome: 'reserved' });
    await complete('reservation-1', null);
    await complete('reservation-1', answer);
    expect(await store().reserve(request({}, late))).toEqual({ outcome: 'in_progress' });
    await complete('r2', answer);
    expect(await store().reserve(request({}, late))).toMatchObject({ outcome: 'answered' });
  });

  it('never changes an answer', async () => {
    await store().reserve(request());
    await complete('reservation-1', answer);
    await complete('reservation-1', { ...answer, status: 500 });
    await complete('reservation-1', null);
    expect(await store().reserve(request())).toMatchObject({ outcome: 'answered', answer: { status: 201 } });
  });

  it('has forgotten an answer from the moment at which it expires, and not before', async () => {
    await store().reserve(request());
    await complete('reservation-1', answer);
    const last = await store().reserve(request({ digest: another }, start + dayMs - 1));
    expect(last).toEqual({ outcome: 'mismatch' });
    expect(await store().reserve(request({ digest: another }, start + dayMs))).toEqual({
      outcome: 'reserved',
    });
  });

  it('deletes what is of one organisation in steps, and nothing else', async () => {
    const [gone, kept] = ['organisation-1', 'organisation-10'];
    for (const key of ['a', 'b', 'c']) await store().reserve(request({ owner: gone, key }));
    await store().reserve(request({ owner: kept }));
    expect(await store().deleteSome(gone, 2)).toBe(2);
    expect(await store().deleteSome(gone, 2)).toBe(1);
    expect(await store().deleteSome(gone, 2)).toBe(0);
    expect(await store().reserve(request({ owner: gone, key: 'a', digest: another }))).toEqual({
      outcome: 'reserved',
    });
    expect(await store().reserve(request({ owner: kept, digest: another }))).toEqual({ outcome: 'mismatch' });
  });

  it('sweeps what has expired in steps, and nothing else', async () => {
    for (const key of ['a', 'b', 'c']) await store().reserve(request({ key }));
    await store().reserve(request({ key: 'young' }, start + 1));
    const end = new Date(start + dayMs);
    expect(await store().sweep(end, 2)).toBe(2);
    expect(await store().sweep(end, 2)).toBe(1);
    expect(await store().sweep(end, 2)).toBe(0);
    const young = await store().reserve(request({ key: 'young', digest: another }, end.getTime()));
    expect(young).toEqual({ outcome: 'mismatch' });
  });
}
