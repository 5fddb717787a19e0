import { DomainError } from '@posthorn/models';
import { eventually } from '@posthorn/testing';
import { newEvent, tenant, useIngest, type Connect } from './ingest.harness.ts';

/** Batches and streams: many events at once, each with its own answer. */
export function publishContract(connect: Connect): void {
  const ingest = useIngest(connect);

  describe('batches', () => {
    it('answers for each event in its place: one bad event spoils none of the others', async () => {
      const { results } = await ingest().client.publishBatch(
        {
          events: [
            newEvent({ id: 'a' }),
            newEvent({ type: 'no good!' }),
            newEvent({ id: 'b', organisationId: 'o2' }),
            newEvent({ id: 'c' }),
          ],
        },
        { principal: tenant },
      );
      expect(results.map(({ result }) => result)).toMatchObject([
        { $case: 'accepted', value: { id: 'a' } },
        { $case: 'refused', value: { code: 'invalid_argument', violations: [{ field: '/type' }] } },
        { $case: 'refused', value: { code: 'not_found' } },
        { $case: 'accepted', value: { id: 'c' } },
      ]);
      expect(ingest().log.events.map(({ id }) => id)).toEqual(['a', 'c']);
    });

    it('takes 1,000 events, and not one more', async () => {
      const events = Array.from({ length: 1001 }, () => newEvent());
      await expect(ingest().client.publishBatch({ events }, { principal: tenant })).rejects.toMatchObject({
        code: 'invalid_argument',
        violations: [{ field: '/events', code: 'too_many' }],
      });
      const { results } = await ingest().client.publishBatch(
        { events: events.slice(1) },
        { principal: tenant },
      );
      expect(results).toHaveLength(1000);
      expect(ingest().log.events).toHaveLength(1000);
    });
  });

  describe('streams', () => {
    it('acknowledges each event as it becomes durable, whatever the order', async () => {
      ingest().log.isManual = true;
      const stream = ingest().openStream();
      for (const [sequence, id] of ['a', 'b', 'c'].entries()) stream.send(sequence, newEvent({ id }));
      await eventually(() => ingest().log.pending.size === 3);
      ingest().log.pending.get('c')?.durable();
      await eventually(() => stream.acknowledged.size === 1);
      expect(stream.acknowledged.get(2)).toMatchObject({ $case: 'accepted', value: { id: 'c' } });
      ingest().log.pending.get('a')?.durable();
      await eventually(() => stream.acknowledged.has(0));
      expect(stream.acknowledged.has(1)).toBe(false);
      stream.end();
      ingest().log.pending.get('b')?.durable();
      expect(await stream.closed).toBeNull();
      expect(stream.acknowledged.size).toBe(3);
    });

    it('goes on after events that it refuses', async () => {
      const stream = ingest().openStream();
      stream.send(1, newEvent({ type: 'no good!' }));
      stream.send(2, undefined);
      stream.send(3, newEvent({ organisationId: 'o2' }));
      stream.send(4, newEvent({ id: 'good' }));
      await eventually(() => stream.acknowledged.size === 4);
      expect([1, 2, 3, 4].map((sequence) => stream.acknowledged.get(sequence))).toMatchObject([
        { $case: 'refused', value: { code: 'invalid_argument' } },
        { $case: 'refused', value: { code: 'invalid_argument' } },
        { $case: 'refused', value: { code: 'not_found' } },
        { $case: 'accepted', value: { id: 'good' } },
      ]);
      stream.end();
      expect(await stream.closed).toBeNull();
    });

    it('names the id of an event of which it is not known whether it was kept, and goes on', async () => {
      ingest().log.isManual = true;
      const stream = ingest().openStream();
      stream.send(1, newEvent({ id: 'a' }));
      stream.send(2, newEvent({ id: 'b' }));
      await eventually(() => ingest().log.pending.size === 2);
      ingest()
        .log.pending.get('a')
        ?.fail(new DomainError('unavailable', 'The disk is full.', { retryAfterMs: 2000 }));
      ingest().log.pending.get('b')?.durable();
      await eventually(() => stream.acknowledged.size === 2);
      expect(stream.acknowledged.get(1)).toMatchObject({
        $case: 'refused',
        value: { code: 'unavailable', id: 'a', retryAfterMs: 2000n },
      });
      expect(stream.acknowledged.get(2)).toMatchObject({ $case: 'accepted' });
      stream.end();
      await stream.closed;
    });

    it('reads no further than its bound, and on when there is room', async () => {
      await ingest().serveAgain({ maxInFlightPerStream: 4 });
      ingest().log.isManual = true;
      const stream = ingest().openStream();
      for (let sequence = 1; sequence <= 20; sequence += 1)
        stream.send(sequence, newEvent({ id: `e${sequence}` }));
      await eventually(() => ingest().log.pending.size === 4);
      let most = 0;
      await eventually(() => {
        most = Math.max(most, ingest().log.pending.size);
        ingest().log.pending.values().next().value?.durable();
        return stream.acknowledged.size === 20;
      });
      expect(most).toBe(4);
      stream.end();
      expect(await stream.closed).toBeNull();
    });

    it('answers what it has read before it stops, and closes well', async () => {
      ingest().log.isManual = true;
      const stream = ingest().openStream();
      stream.send(1, newEvent({ id: 'a' }));
      await eventually(() => ingest().log.pending.size === 1);
      const stopped = ingest().service.stop();
      stream.send(2, newEvent({ id: 'b' }));
      ingest().log.pending.get('a')?.durable();
      expect(await stream.closed).toBeNull();
      await stopped;
      expect([...stream.acknowledged.keys()]).toEqual([1]);
      expect(ingest().log.pending.size).toBe(0);
    });

    it('ends well once it is old, after what was read is answered', async () => {
      await ingest().serveAgain({ maxStreamAgeMs: 60_000 });
      ingest().log.isManual = true;
      const stream = ingest().openStream();
      stream.send(1, newEvent({ id: 'a' }));
      await eventually(() => ingest().log.pending.size === 1);
      let closed = false;
      void stream.closed.then(() => (closed = true));
      ingest().clock.advance(59_999);
      await new Promise((resolve) => setImmediate(resolve));
      expect(closed).toBe(false);
      ingest().clock.advance(1);
      ingest().log.pending.get('a')?.durable();
      expect(await stream.closed).toBeNull();
      expect([...stream.acknowledged.keys()]).toEqual([1]);
      await eventually(() => ingest().clock.pendingTimers === 1);
    });
  });

  it('counts what it accepted, refused and had seen before', async () => {
    await ingest().publish({ id: 'a' });
    await ingest().publish({ id: 'a' });
    await ingest()
      .publish({ type: 'no good!' })
      .catch(() => undefined);
    const text = await ingest().metrics.render();
    expect(text).toContain('posthorn_ingest_accepted_total 2');
    expect(text).toContain('posthorn_ingest_duplicates_total 1');
    expect(text).toContain('posthorn_ingest_refused_total{code="invalid_argument"} 1');
    expect(text).toContain('posthorn_ingest_accept_seconds_count 2');
  });
}
