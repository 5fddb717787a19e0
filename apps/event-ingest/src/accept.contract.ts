import { configV1 } from '@posthorn/contracts';
import { DomainError, isId, servicePrincipal } from '@posthorn/models';
import { eventually } from '@posthorn/testing';
import { operator, tenant, useIngest, type Connect } from './ingest.harness.ts';

/** What the accept path takes, what it refuses, and when it answers. */
export function acceptContract(connect: Connect): void {
  const ingest = useIngest(connect);
  const keptTypes = () => ingest().log.events.map(({ type }) => type);

  describe('accepting', () => {
    it('keeps exactly what was published, and answers with its id and the time', async () => {
      const data = Buffer.from(' {"b":1.0, "a":12345678901234567890,"a":"\\u00e4"}\n');
      const occurredAt = new Date('2025-12-31T23:59:59.123Z');
      const accepted = await ingest().publish({
        data,
        labels: { region: 'eu' },
        subject: 'customer-1',
        occurredAt,
      });
      expect(accepted).toEqual({
        id: expect.any(String),
        type: 'order.paid',
        acceptedAt: new Date(ingest().clock.now()),
        duplicate: false,
      });
      expect(isId(accepted?.id ?? '')).toBe(true);
      const [event] = ingest().log.events;
      expect(event).toMatchObject({
        id: accepted?.id,
        organisationId: 'o1',
        type: 'order.paid',
        labels: { region: 'eu' },
        subject: 'customer-1',
        idempotencyKey: null,
        occurredAt,
        acceptedAt: new Date(ingest().clock.now()),
      });
      expect(Buffer.from(event?.payload ?? []).equals(data)).toBe(true);
    });

    it('answers only when the event is durable', async () => {
      ingest().log.isManual = true;
      let answered = false;
      const answer = ingest()
        .publish({ id: 'e1' })
        .then(() => (answered = true));
      await eventually(() => ingest().log.pending.has('e1'));
      expect(answered).toBe(false);
      ingest().log.pending.get('e1')?.durable();
      expect(await answer).toBe(true);
    });

    it('takes the time of acceptance for the time of occurrence when none is given', async () => {
      await ingest().publish();
      expect(ingest().log.events[0]?.occurredAt).toEqual(new Date(ingest().clock.now()));
    });

    it('keeps the id that the caller fixed, and tells when it was there before', async () => {
      expect(await ingest().publish({ id: 'e1' })).toMatchObject({ id: 'e1', duplicate: false });
      expect(await ingest().publish({ id: 'e1' })).toMatchObject({ id: 'e1', duplicate: true });
      expect(ingest().log.events).toHaveLength(1);
    });
  });

  describe('what comes with the caller', () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const gateway = servicePrincipal('gateway');
    const kept = () => ingest().log.events[0];

    it('goes where the publishing key says, whatever the event says', async () => {
      await ingest().publish({ routesTo: 'forged' }, { ...tenant, routesTo: 'endpoint-1' });
      expect(kept()).toMatchObject({ routesTo: 'endpoint-1' });
    });

    it('goes nowhere in particular when the key says nothing', async () => {
      await ingest().publish({ routesTo: 'forged' });
      expect(kept()).toMatchObject({ routesTo: null });
    });

    it('is believed of our own services', async () => {
      await ingest().publish({ routesTo: 'endpoint-1', orderingKey: 'k', traceparent }, gateway);
      expect(kept()).toMatchObject({ routesTo: 'endpoint-1', orderingKey: 'k', traceparent });
    });

    it('carries the trace on, and drops what is none', async () => {
      await ingest().publish({ id: 'e1', traceparent });
      await ingest().publish({ id: 'e2', traceparent: 'no trace' });
      expect(ingest().log.events.map((event) => event.traceparent)).toEqual([traceparent, null]);
    });

    it('keeps the ordering key that its producer gives, and refuses an empty one', async () => {
      await ingest().publish({ orderingKey: 'customer-1' });
      expect(kept()).toMatchObject({ orderingKey: 'customer-1' });
      await expect(ingest().publish({ orderingKey: '' })).rejects.toMatchObject({
        violations: [{ field: '/orderingKey' }],
      });
    });
  });

  describe('an event that is to be delivered later', () => {
    const dayMs = 86_400_000;
    const inDays = (days: number): Date => new Date(ingest().clock.now() + days * dayMs);

    it('keeps its time, up to the end of what its payload is kept for', async () => {
      const deliverAt = inDays(30);
      await ingest().publish({ deliverAt });
      expect(ingest().log.events[0]).toMatchObject({ deliverAt });
    });

    it('keeps a time that is past: it is delivered at once', async () => {
      const deliverAt = inDays(-1);
      await ingest().publish({ deliverAt });
      expect(ingest().log.events[0]).toMatchObject({ deliverAt });
    });

    it('is refused beyond what its payload is kept for, and with an ordering key, both at once', async () => {
      const late = new Date(inDays(30).getTime() + 1);
      await expect(ingest().publish({ deliverAt: late, orderingKey: 'k' })).rejects.toMatchObject({
        code: 'invalid_argument',
        violations: [
          { field: '/deliverAt', code: 'conflict' },
          { field: '/deliverAt', code: 'out_of_range' },
        ],
      });
      expect(ingest().log.events).toHaveLength(0);
    });

    it('is another event than the one without a time, under the same key', async () => {
      await ingest().publish({ idempotencyKey: 'k', deliverAt: inDays(1) });
      await expect(ingest().publish({ idempotencyKey: 'k' })).rejects.toMatchObject({
        code: 'idempotency_mismatch',
      });
    });
  });

  describe('organisations', () => {
    it("takes the key's own organisation when the event names none", async () => {
      await ingest().publish({ organisationId: '' });
      expect(ingest().log.events[0]?.organisationId).toBe('o1');
    });

    it('wants operators to name one', async () => {
      await expect(ingest().publish({ organisationId: '' }, operator)).rejects.toMatchObject({
        code: 'invalid_argument',
        violations: [{ field: '/organisation', code: 'required' }],
      });
      expect(await ingest().publish({}, operator)).toMatchObject({ duplicate: false });
    });

    it("answers alike for another tenant's organisation and for one that does not exist", async () => {
      const unknown = await ingest()
        .publish({ organisationId: 'o9' }, operator)
        .catch((error: unknown) => error);
      const foreign = await ingest()
        .publish({}, { ...tenant, organisationId: 'o2' })
        .catch((error: unknown) => error);
      expect(unknown).toMatchObject({ code: 'not_found' });
      expect((foreign as DomainError).message).toBe((unknown as DomainError).message);
      expect(ingest().log.events).toHaveLength(0);
    });
  });

  describe('refusing', () => {
    it('tells everything that is wrong at once', async () => {
      ingest().catalogue.requireKnownTypes = true;
      const error = ingest().publish({
        type: 'no good!',
        data: Buffer.from('{'),
        subject: '',
        idempotencyKey: '',
      });
      await expect(error).rejects.toMatchObject({ code: 'invalid_argument' });
      const { violations } = (await error.catch((thrown: unknown) => thrown)) as DomainError;
      const fields = new Set(violations.map(({ field }) => field));
      expect([...fields].sort()).toEqual(['/data', '/idempotencyKey', '/subject', '/type']);
    });

    it('refuses a payload over the limit, and takes one of exactly the limit', async () => {
      await ingest().serveAgain({ maxPayloadBytes: 100 });
      const text = (length: number): Buffer => Buffer.from(`"${'x'.repeat(length - 2)}"`);
      await expect(ingest().publish({ data: text(101) })).rejects.toMatchObject({
        code: 'payload_too_large',
      });
      await ingest().publish({ data: text(100) });
      expect(ingest().log.events.map(({ payload }) => payload.length)).toEqual([100]);
    });

    it('refuses unknown types where the organisation wants its catalogue to be complete', async () => {
      await ingest().publish({ type: 'order.unknown' });
      expect(keptTypes()).toEqual(['order.unknown']);
      ingest().catalogue.requireKnownTypes = true;
      ingest().catalogue.set('order.known', {});
      await ingest().publish({ type: 'order.known' });
      expect(keptTypes()).toEqual(['order.unknown', 'order.known']);
      await expect(ingest().publish({ type: 'order.unknown' })).rejects.toMatchObject({
        code: 'invalid_argument',
        violations: [{ field: '/type', code: 'unknown_type' }],
      });
    });

    it('refuses retired types', async () => {
      ingest().catalogue.set('order.old', { retired: true });
      await expect(ingest().publish({ type: 'order.old' })).rejects.toMatchObject({
        violations: [{ field: '/type', code: 'retired' }],
      });
    });

    it("enforces an event type's schema as it says: reject, warn or off", async () => {
      const schemaJson = '{"type":"object","properties":{"total":{"type":"string"}}}';
      const { ENFORCEMENT_REJECT, ENFORCEMENT_WARN, ENFORCEMENT_OFF } = configV1.Enforcement;
      ingest().catalogue.set('strict', { schemaJson, enforcement: ENFORCEMENT_REJECT });
      ingest().catalogue.set('lenient', { schemaJson, enforcement: ENFORCEMENT_WARN });
      ingest().catalogue.set('off', { schemaJson, enforcement: ENFORCEMENT_OFF });
      await expect(ingest().publish({ type: 'strict' })).rejects.toMatchObject({
        code: 'invalid_argument',
        violations: [{ field: '/data/total', code: 'schema_type' }],
      });
      await ingest().publish({ type: 'strict', data: Buffer.from('{"total":"1"}') });
      await ingest().publish({ type: 'lenient' });
      await ingest().publish({ type: 'off' });
      expect(keptTypes()).toEqual(['strict', 'lenient', 'off']);
      expect(await ingest().metrics.render()).toContain('posthorn_ingest_schema_warnings_total 1');
    });

    it('leaves the names of operational events to our own services', async () => {
      await expect(ingest().publish({ type: 'posthorn.endpoint.disabled' })).rejects.toMatchObject({
        violations: [{ field: '/type', code: 'reserved' }],
      });
      const dispatcher = servicePrincipal('dispatcher');
      // They are in no catalogue, however complete the organisation wants it to be.
      ingest().catalogue.requireKnownTypes = true;
      await ingest().publish({ type: 'posthorn.endpoint.disabled' }, dispatcher);
      expect(keptTypes()).toEqual(['posthorn.endpoint.disabled']);
    });

    it('refuses a time that is more than a day ahead', async () => {
      const occurredAt = new Date(ingest().clock.now() + 2 * 24 * 3600 * 1000);
      await expect(ingest().publish({ occurredAt })).rejects.toMatchObject({
        violations: [{ field: '/occurredAt' }],
      });
    });

    it("refuses an empty id that claims to be the producer's", async () => {
      await expect(ingest().publish({ idFromProducer: true })).rejects.toMatchObject({
        violations: [{ field: '/id' }],
      });
    });

    it('refuses a request without an event', async () => {
      await expect(
        ingest().client.publish({ event: undefined }, { principal: tenant }),
      ).rejects.toMatchObject({
        violations: [{ field: '/event', code: 'required' }],
      });
    });

    it('says that it is not known, with the id to publish again with, when the log fails', async () => {
      ingest().log.failure = new DomainError('unavailable', 'The disk is full.', { retryAfterMs: 5000 });
      await expect(ingest().publish({ id: 'e1' })).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining('"e1"') as string,
        retryAfterMs: 5000,
      });
      ingest().log.failure = new DomainError('internal', 'Something went wrong on our side.');
      await expect(ingest().publish({ id: 'e1' })).rejects.toMatchObject({ code: 'unavailable' });
      ingest().log.failure = undefined;
      expect(await ingest().publish({ id: 'e1', idFromProducer: true })).toMatchObject({
        id: 'e1',
        duplicate: false,
      });
    });
  });
}
