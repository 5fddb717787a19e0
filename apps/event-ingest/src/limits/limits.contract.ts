import type { ingestV1 } from '@posthorn/contracts';
import {
  DomainError,
  noPublishLimits,
  servicePrincipal,
  type Principal,
  type PublishLimits,
} from '@posthorn/models';
import { newEvent, tenant, useIngest, type Connect } from '../ingest.harness.ts';

const secondMs = 1000;
const dayMs = 24 * 60 * 60 * secondMs;
const gateway = servicePrincipal('gateway');

function keyWith(limits: Partial<PublishLimits>, id = 'limited key'): Principal {
  return { ...tenant, id, limits: { ...noPublishLimits, ...limits } };
}

/** What a result says: whether it was accepted, or the code that it was refused with, and what is left by each limit. */
function summaryOf({ result }: ingestV1.PublishResult): string {
  const states = result?.value.limits?.states.map(({ name, remaining }) => `${name} ${remaining}`) ?? [];
  return [result?.$case === 'refused' ? result.value.code : 'accepted', ...states].join(', ');
}

/** What limits refuse and what they count, however the service is reached. */
export function limitsContract(connect: Connect): void {
  const ingest = useIngest(connect);

  async function publish(events: readonly Partial<ingestV1.NewEvent>[], principal = tenant) {
    const batch = { events: events.map((event) => newEvent(event)) };
    return (await ingest().client.publishBatch(batch, { principal })).results;
  }
  const summary = async (event: Partial<ingestV1.NewEvent>, principal = tenant): Promise<string> =>
    (await publish([event], principal)).map(summaryOf).join();
  /** Of events that are published one after the other. */
  async function summaries(count: number, principal = tenant): Promise<readonly string[]> {
    const found: string[] = [];
    while (found.length < count) found.push(await summary({}, principal));
    return found;
  }
  const text = (bytes: number): Buffer => Buffer.from(`"${'x'.repeat(bytes - 2)}"`);

  describe('limits', () => {
    it('let so many events of a second in and not one more, and as many in the next second', async () => {
      ingest().catalogue.limits = { publishesPerSecond: 3 };
      const name = 'organisation-publishes-per-second';
      const all = [`accepted, ${name} 2`, `accepted, ${name} 1`, `accepted, ${name} 0`];
      for (let second = 0; second < 3; second += 1) {
        expect(await summaries(4)).toEqual([...all, `rate_limited, ${name} 0`]);
        expect(ingest().log.events).toHaveLength(3 * (second + 1));
        ingest().clock.advance(secondMs);
      }
    });

    it('say which of them has no room, how large it is, and when it has room again', async () => {
      ingest().catalogue.limits = { publishesPerSecond: 1, publishesPerDay: 2 };
      ingest().clock.advance(dayMs - 2400);
      await ingest().publish();
      await expect(ingest().publish()).rejects.toMatchObject({
        code: 'rate_limited',
        message:
          'The organisation may publish 1 event a second; none is left. The next second begins in 1 s.',
        retryAfterMs: 400,
        violations: [{ field: '', code: 'organisation_publishes_per_second' }],
      });
      ingest().clock.advance(secondMs);
      await ingest().publish();
      await expect(ingest().publish()).rejects.toMatchObject({
        retryAfterMs: 1400,
        violations: [
          { code: 'organisation_publishes_per_second' },
          { code: 'organisation_publishes_per_day', message: expect.stringContaining('in 2 s') as string },
        ],
      });
    });

    it('tell their size, their window and what is counted', async () => {
      ingest().catalogue.limits = { publishesPerSecond: 10, publishesPerDay: 1000, bytesPerDay: 5000 };
      const [result] = await publish([{ data: text(100) }]);
      expect(result?.result?.value.limits?.states).toEqual([
        {
          name: 'organisation-publishes-per-second',
          quota: 10n,
          windowSeconds: 1n,
          remaining: 9n,
          resetSeconds: 1n,
          countsBytes: false,
        },
        {
          name: 'organisation-publishes-per-day',
          quota: 1000n,
          windowSeconds: 86_400n,
          remaining: 999n,
          resetSeconds: 86_400n,
          countsBytes: false,
        },
        {
          name: 'organisation-bytes-per-day',
          quota: 5000n,
          windowSeconds: 86_400n,
          remaining: 4900n,
          resetSeconds: 86_400n,
          countsBytes: true,
        },
      ]);
    });

    it('count the bytes of the payload, and let in what still fits', async () => {
      ingest().catalogue.limits = { bytesPerDay: 100 };
      const name = 'organisation-bytes-per-day';
      const found: string[] = [];
      for (const bytes of [70, 40, 20, 11, 10, 2]) found.push(await summary({ data: text(bytes) }));
      expect(found).toEqual([
        `accepted, ${name} 30`,
        `rate_limited, ${name} 30`,
        `accepted, ${name} 10`,
        `rate_limited, ${name} 10`,
        `accepted, ${name} 0`,
        `rate_limited, ${name} 0`,
      ]);
    });

    it('let in of events that come at once as many as there is room for', async () => {
      ingest().catalogue.limits = { publishesPerSecond: 3 };
      const results = await publish([{}, {}, {}, {}, {}]);
      const refused = 'rate_limited, organisation-publishes-per-second 0';
      expect(results.map(summaryOf).slice(3)).toEqual([refused, refused]);
      expect(ingest().log.events).toHaveLength(3);
    });

    it('say what is left when they are answered, also beside what had been accepted before', async () => {
      ingest().catalogue.limits = { publishesPerDay: 10 };
      const before = [{ idempotencyKey: 'a' }, { idempotencyKey: 'b' }];
      await publish(before);
      const again = (await publish([...before, { idempotencyKey: 'c' }])).map(summaryOf);
      expect(again.at(-1)).toBe('accepted, organisation-publishes-per-day 7');
      expect(await summary({})).toBe('accepted, organisation-publishes-per-day 6');
    });

    it('refuse what is larger than all of a day as too large: waiting would not help', async () => {
      ingest().catalogue.limits = { bytesPerDay: 100 };
      await expect(ingest().publish({ data: text(101) })).rejects.toMatchObject({
        code: 'payload_too_large',
        retryAfterMs: undefined,
        violations: [{ field: '/data', code: 'organisation_bytes_per_day' }],
      });
      expect(await summary({ data: text(100) })).toBe('accepted, organisation-bytes-per-day 0');
    });

    it('of a key hold beside those of its organisation; what one of them refuses counts for none', async () => {
      ingest().catalogue.limits = { publishesPerSecond: 3 };
      const organisation = 'organisation-publishes-per-second';
      const key = 'key-publishes-per-day';
      const limited = keyWith({ publishesPerDay: 2 });
      expect(await summaries(3, limited)).toEqual([
        `accepted, ${organisation} 2, ${key} 1`,
        `accepted, ${organisation} 1, ${key} 0`,
        `rate_limited, ${organisation} 1, ${key} 0`,
      ]);
      expect(await summaries(2, tenant)).toEqual([
        `accepted, ${organisation} 0`,
        `rate_limited, ${organisation} 0`,
      ]);
      expect(await summary({}, keyWith({ publishesPerDay: 2 }, 'another'))).toMatch(/^rate_limited/);
      ingest().clock.advance(secondMs);
      expect(await summary({}, keyWith({ publishesPerDay: 2 }, 'another'))).toBe(
        `accepted, ${organisation} 2, ${key} 1`,
      );
    });

    it('of a key are what our own services say, and what others say of theirs counts for nothing', async () => {
      const limitedKey = { id: 'k7', limits: { publishesPerDay: 1n } };
      expect(await summary({ limitedKey }, gateway)).toBe('accepted, key-publishes-per-day 0');
      expect(await summary({ limitedKey }, gateway)).toBe('rate_limited, key-publishes-per-day 0');
      expect(await summary({ limitedKey }, tenant)).toBe('accepted');
      expect(
        await summary({ limitedKey: { id: 'k8', limits: {} } }, keyWith({ publishesPerDay: 5 }, 'k7')),
      ).toBe('accepted, key-publishes-per-day 3');
    });

    it('follow what operators write', async () => {
      ingest().catalogue.limits = { publishesPerDay: 2 };
      expect(await summaries(3)).toHaveLength(3);
      ingest().catalogue.limits = { publishesPerDay: 3 };
      expect(await summary({})).toBe('accepted, organisation-publishes-per-day 0');
      ingest().catalogue.limits = { publishesPerDay: 1 };
      expect(await summary({})).toBe('rate_limited, organisation-publishes-per-day 0');
      ingest().catalogue.limits = {};
      expect(await summary({})).toBe('accepted');
    });

    it('are those of the deployment where an organisation has none of its own, limit by limit', async () => {
      const publishing = { ...noPublishLimits, publishesPerDay: 1, bytesPerDay: 1000 };
      await ingest().serveAgain({ publishing });
      ingest().catalogue.limits = { publishesPerDay: 2 };
      const left = (events: number, bytes: number): string =>
        `accepted, organisation-publishes-per-day ${events}, organisation-bytes-per-day ${bytes}`;
      expect(await summary({ data: text(100) })).toBe(left(1, 900));
      expect(await summary({ data: text(100) })).toBe(left(0, 800));
      ingest().catalogue.limits = {};
      expect(await summary({})).toMatch(/^rate_limited/);
    });

    it('hold through a restart, and what was not used then may be used after it', async () => {
      ingest().catalogue.limits = { publishesPerDay: 100 };
      // Fast enough for something to be taken ahead of use.
      for (let batch = 0; batch < 4; batch += 1) await summaries(10);
      await ingest().serveAgain({});
      // Ids begin with the time; the random part of these is the same again.
      ingest().clock.advance(1);
      expect(await summary({})).toBe('accepted, organisation-publishes-per-day 59');
      expect((await summaries(80)).filter((each) => each.startsWith('accepted'))).toHaveLength(59);
    });

    it('leave operational events alone', async () => {
      ingest().catalogue.limits = { publishesPerDay: 1 };
      await ingest().publish();
      expect(await summary({ type: 'posthorn.endpoint.disabled' }, gateway)).toBe('accepted');
    });

    it('count what is refused for another reason not at all', async () => {
      ingest().catalogue.limits = { publishesPerDay: 2 };
      await ingest().publish({ idempotencyKey: 'a' });
      expect(await summary({ type: 'no good!' })).toMatch(/^invalid_argument/);
      expect(await summary({ idempotencyKey: 'a', data: text(9) })).toMatch(/^idempotency_mismatch/);
      expect(await summary({})).toBe('accepted, organisation-publishes-per-day 0');
    });

    it('count what had been accepted before once, and let it pass when they are used up', async () => {
      ingest().catalogue.limits = { publishesPerDay: 2 };
      const first = await ingest().publish({ idempotencyKey: 'a' });
      expect(await summary({ idempotencyKey: 'a' })).toBe('accepted, organisation-publishes-per-day 1');
      await ingest().publish({ id: 'mine', idFromProducer: true });
      const again = await ingest().publish({ idempotencyKey: 'a' });
      expect(again).toMatchObject({ id: first?.id, acceptedAt: first?.acceptedAt, duplicate: true });
      expect(await ingest().publish({ id: 'mine', idFromProducer: true })).toMatchObject({ duplicate: true });
      expect(await summary({ id: 'other', idFromProducer: true })).toMatch(/^rate_limited/);
      expect(await summary({ idempotencyKey: 'a', data: text(9) })).toMatch(/^rate_limited/);
      expect(ingest().log.events).toHaveLength(2);
      ingest().clock.advance(dayMs);
      expect(await summary({ id: 'other', idFromProducer: true })).toMatch(/^accepted/);
    });

    it('count what may have been kept', async () => {
      ingest().catalogue.limits = { publishesPerDay: 2 };
      ingest().log.failure = new DomainError('unavailable', 'The disk is full.');
      await expect(ingest().publish({ id: 'e1' })).rejects.toMatchObject({ code: 'unavailable' });
      ingest().log.failure = undefined;
      expect(await summary({})).toBe('accepted, organisation-publishes-per-day 0');
    });

    it('cannot be checked while their store is away: only what is under one is refused, and nothing of it is kept', async () => {
      ingest().usage.failure = new DomainError('unavailable', 'The database is away.');
      const limited = keyWith({ publishesPerDay: 2 });
      for (let tries = 0; tries < 3; tries += 1) {
        const refusal = ingest().publish({ id: 'e1' }, limited);
        await expect(refusal).rejects.toMatchObject({ code: 'unavailable', retryAfterMs: 1000 });
        await expect(refusal).rejects.not.toThrow('publish it again with the id');
      }
      // Nobody but one a second waits for a store that is away.
      expect(ingest().usage.asked).toBe(1);
      expect(await summary({})).toBe('accepted');
      ingest().usage.failure = undefined;
      ingest().clock.advance(secondMs);
      expect(await summary({}, limited)).toBe('accepted, key-publishes-per-day 1');
    });

    it('ask nobody where there are none', async () => {
      await summaries(20);
      expect(ingest().usage.asked).toBe(0);
    });

    it('ask their store less often than there are events', async () => {
      ingest().catalogue.limits = { publishesPerDay: 100_000 };
      for (let batch = 0; batch < 10; batch += 1) await summaries(100);
      expect(ingest().usage.asked).toBeLessThan(30);
    });

    it('are counted by whose they are and which, and by no tenant', async () => {
      ingest().catalogue.limits = { publishesPerSecond: 1 };
      await summaries(3, keyWith({ publishesPerDay: 1 }));
      const metrics = await ingest().metrics.render();
      expect(metrics).toContain('posthorn_ingest_refused_total{code="rate_limited"} 2');
      expect(metrics).toContain(
        'posthorn_ingest_limited_total{owner="organisation",limit="publishesPerSecond"} 2',
      );
      expect(metrics).toContain('posthorn_ingest_limited_total{owner="key",limit="publishesPerDay"} 2');
    });
  });
}
