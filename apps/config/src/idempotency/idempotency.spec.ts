import { operator, service, tenant, useHarness } from '../config.harness.ts';
import { answerLifetimeMs, takeoverAfterMs } from './idempotency.ts';

const digest = new Uint8Array(32).fill(1);
const answer = { status: 201, headers: { etag: '"1"' }, body: Buffer.from('{"id":"1"}') };

describe('IdempotencyService', () => {
  const harness = useHarness();
  const as = { principal: service };
  const reserve = (over: Partial<{ owner: string; key: string; digest: Uint8Array }> = {}) =>
    harness().idempotency.reserve({ owner: 'operator', key: 'k', digest, ...over }, as);
  const complete = (reservation: string, given: typeof answer | undefined = answer) =>
    harness().idempotency.complete({ owner: 'operator', key: 'k', answer: given, reservation }, as);

  it('is closed to keys, those of operators too', async () => {
    for (const principal of [operator, tenant('organisation-1')]) {
      const { idempotency } = harness();
      const refused = { code: 'permission_denied' };
      await expect(
        idempotency.reserve({ owner: 'o', key: 'k', digest }, { principal }),
      ).rejects.toMatchObject(refused);
      await expect(
        idempotency.complete({ owner: 'o', key: 'k', answer, reservation: '' }, { principal }),
      ).rejects.toMatchObject(refused);
    }
  });

  it('gives the first answer again for 24 hours', async () => {
    const { reservation } = await reserve();
    expect(await reserve()).toEqual({ answer: undefined, inProgress: true, reservation: '' });
    await complete(reservation);
    const again = await reserve();
    expect(again).toEqual({ answer, inProgress: false, reservation: '' });
    harness().clock.advance(answerLifetimeMs);
    expect(await reserve()).toMatchObject({ answer: undefined, inProgress: false });
  });

  it('refuses the key for another request', async () => {
    await reserve();
    await expect(reserve({ digest: new Uint8Array(32) })).rejects.toMatchObject({
      code: 'idempotency_mismatch',
    });
  });

  it('gives the key back when nothing was changed', async () => {
    const { reservation } = await reserve();
    await harness().idempotency.complete({ owner: 'operator', key: 'k', answer: undefined, reservation }, as);
    expect((await reserve({ digest: new Uint8Array(32) })).reservation).not.toBe('');
  });

  it('lets a reservation that was not completed within a minute be taken over, once', async () => {
    const first = await reserve();
    harness().clock.advance(takeoverAfterMs + 1);
    const second = await reserve();
    expect(second.reservation).not.toBe('');
    expect(await reserve()).toMatchObject({ inProgress: true });
    await complete(first.reservation);
    expect(await reserve()).toMatchObject({ inProgress: true });
    await complete(second.reservation);
    expect(await reserve()).toMatchObject({ answer });
  });

  it('bounds what it takes', async () => {
    const wrong = { owner: 'o'.repeat(65), key: '', digest: new Uint8Array(31) };
    await expect(reserve(wrong)).rejects.toMatchObject({
      violations: [{ field: '/owner' }, { field: '/key' }, { field: '/digest' }],
    });
    const { reservation } = await reserve();
    await expect(
      complete(reservation, { ...answer, body: Buffer.alloc(256 * 1024 + 1) }),
    ).rejects.toMatchObject({
      code: 'payload_too_large',
    });
  });
});
