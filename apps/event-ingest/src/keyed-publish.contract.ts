import type { ingestV1 } from '@posthorn/contracts';
import { DomainError } from '@posthorn/models';
import { eventually } from '@posthorn/testing';
import { useIngest, type Connect } from './ingest.harness.ts';
import { reservationTtlMs } from './reservations/reserve.ts';

/** Rule 2 of the pipeline: one key, or one id of a producer's, stands for one event. */
export function keyedPublishContract(connect: Connect): void {
  const ingest = useIngest(connect);

  describe('keyed publishes', () => {
    it('gives the same answer to the same content, as a duplicate', async () => {
      const first = await ingest().publish({ idempotencyKey: 'k' });
      ingest().clock.advance(5000);
      expect(await ingest().publish({ idempotencyKey: 'k' })).toEqual({ ...first, duplicate: true });
      expect(ingest().log.events).toHaveLength(1);
    });

    it.each<[string, Partial<ingestV1.NewEvent>]>([
      ['type', { type: 'order.other' }],
      ['white space of the payload', { data: Buffer.from('{"total":1.0}') }],
      ['labels', { labels: { region: 'eu' } }],
      ['subject', { subject: 'customer-1' }],
      ['time of occurrence', { occurredAt: new Date(0) }],
      ['own id', { id: 'mine', idFromProducer: true }],
    ])('refuses the same key with another %s', async (_, over) => {
      await ingest().publish({ idempotencyKey: 'k' });
      await expect(ingest().publish({ idempotencyKey: 'k', ...over })).rejects.toMatchObject({
        code: 'idempotency_mismatch',
        violations: [{ field: '/idempotencyKey' }],
      });
      expect(ingest().log.events).toHaveLength(1);
    });

    it('takes the same labels in another order for the same content', async () => {
      const first = await ingest().publish({ idempotencyKey: 'k', labels: { a: '1', b: '2' } });
      expect(await ingest().publish({ idempotencyKey: 'k', labels: { b: '2', a: '1' } })).toMatchObject({
        id: first?.id,
      });
    });

    it('makes one event of concurrent publishes with one key', async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => ingest().publish({ idempotencyKey: 'k' })),
      );
      expect(new Set(answers.map((answer) => answer?.id)).size).toBe(1);
      expect(answers.filter((answer) => answer?.duplicate === false)).toHaveLength(1);
      expect(ingest().log.events).toHaveLength(1);
    });

    it('forgets a key after 24 hours, and not before', async () => {
      const first = await ingest().publish({ idempotencyKey: 'k' });
      ingest().clock.advance(reservationTtlMs - 1);
      expect(await ingest().publish({ idempotencyKey: 'k' })).toMatchObject({ id: first?.id });
      ingest().clock.advance(1);
      const later = await ingest().publish({ idempotencyKey: 'k', type: 'order.other' });
      expect(later?.duplicate).toBe(false);
      expect(later?.id).not.toBe(first?.id);
    });

    it('appends again under the first id when the first append may not have happened', async () => {
      ingest().log.failure = new DomainError('unavailable', 'The disk is full.');
      const failed = (await ingest()
        .publish({ id: 'e1', idempotencyKey: 'k' })
        .catch((error: unknown) => error)) as Error;
      expect(failed.message).toContain('"e1"');
      ingest().log.failure = undefined;
      expect(await ingest().publish({ id: 'e2', idempotencyKey: 'k' })).toMatchObject({
        id: 'e1',
        duplicate: true,
      });
      expect(ingest().log.events.map(({ id }) => id)).toEqual(['e1']);
    });

    it('takes the key together with the id that the refusal named', async () => {
      ingest().log.failure = new DomainError('unavailable', 'The disk is full.');
      await ingest()
        .publish({ id: 'e1', idempotencyKey: 'k' })
        .catch(() => undefined);
      ingest().log.failure = undefined;
      const again = await ingest().publish({ id: 'e1', idFromProducer: true, idempotencyKey: 'k' });
      expect(again).toMatchObject({ id: 'e1' });
    });

    it("treats a producer's own id like a key", async () => {
      const mine = { id: 'mine', idFromProducer: true };
      expect(await ingest().publish(mine)).toMatchObject({ id: 'mine', duplicate: false });
      expect(await ingest().publish(mine)).toMatchObject({ id: 'mine', duplicate: true });
      await expect(ingest().publish({ ...mine, type: 'order.other' })).rejects.toMatchObject({
        code: 'idempotency_mismatch',
        violations: [{ field: '/id' }],
      });
    });

    it('gives back the key that it took for a publish which its id then spoiled', async () => {
      await ingest().publish({ id: 'mine', idFromProducer: true });
      const spoiled = ingest().publish({
        id: 'mine',
        idFromProducer: true,
        idempotencyKey: 'k',
        type: 'order.other',
      });
      await expect(spoiled).rejects.toMatchObject({ code: 'idempotency_mismatch' });
      expect(await ingest().publish({ idempotencyKey: 'k' })).toMatchObject({ duplicate: false });
    });

    it('refuses keyed publishes only while the reservations are away', async () => {
      const { write } = ingest().database;
      ingest().database.write = () => Promise.reject(new DomainError('unavailable', 'away'));
      try {
        await expect(ingest().publish({ idempotencyKey: 'k' })).rejects.toMatchObject({
          code: 'unavailable',
        });
        expect(await ingest().publish()).toMatchObject({ duplicate: false });
      } finally {
        ingest().database.write = write;
      }
      expect(ingest().log.events).toHaveLength(1);
    });

    it('removes expired reservations in the background', async () => {
      await ingest().publish({ idempotencyKey: 'k' });
      const count = ingest().database.prepare('SELECT count(*) AS n FROM reservations');
      expect(count.get()).toEqual({ n: 1 });
      await ingest().clock.advanceAsync(reservationTtlMs + 120_000);
      await eventually(() => count.get()?.['n'] === 0);
    });
  });
}
