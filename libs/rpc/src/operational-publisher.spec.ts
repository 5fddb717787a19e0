import { refusalToMessage, type ingestV1 } from '@posthorn/contracts';
import { DomainError, servicePrincipal, type OperationalEvent } from '@posthorn/models';
import { createMetrics, silentLogger, type Metrics } from '@posthorn/runtime';
import { eventually, FakeClock } from '@posthorn/testing';
import { createOperationalPublisher, type OperationalPublisher } from './operational-publisher.ts';

const principal = servicePrincipal('dispatcher');
const eventOf = (number: number): OperationalEvent => ({
  id: `id-${number}`,
  organisationId: 'o1',
  type: 'posthorn.endpoint.disabled',
  data: { number },
  occurredAt: new Date(number),
});
const accepted = ({ id, type }: ingestV1.NewEvent): ingestV1.PublishResult => ({
  result: { $case: 'accepted', value: { id, type, acceptedAt: new Date(0), duplicate: false } },
});
const refused = (code: DomainError['code']): ingestV1.PublishResult => ({
  result: { $case: 'refused', value: refusalToMessage(new DomainError(code, 'Not now.')) },
});

describe('the publisher of operational events', () => {
  let clock: FakeClock;
  let metrics: Metrics;
  let batches: string[][];
  let answer: (event: ingestV1.NewEvent) => ingestV1.PublishResult;
  let publisher: OperationalPublisher;
  let sent: ingestV1.NewEvent[];

  beforeEach(() => {
    clock = new FakeClock();
    metrics = createMetrics();
    batches = [];
    sent = [];
    answer = accepted;
    publisher = createOperationalPublisher({
      ingest: {
        publishBatch({ events }, options) {
          expect(options.principal).toBe(principal);
          batches.push(events.map(({ id }) => id));
          sent.push(...events);
          return Promise.resolve().then(() => ({ results: events.map(answer) }));
        },
      },
      principal,
      clock,
      logger: silentLogger,
      metrics,
      maxWaiting: 3,
    });
  });

  const count = async (outcome: string): Promise<number> => {
    const found = new RegExp(`posthorn_operational_events_total\\{outcome="${outcome}"\\} (\\d+)`).exec(
      await metrics.render(),
    );
    return Number(found?.[1] ?? 0);
  };
  const fail = (code: DomainError['code']) => (): never => {
    throw new DomainError(code, 'Away.');
  };

  it('publishes together what one turn brings, under the ids and times that it has, about nobody', async () => {
    publisher.publish(eventOf(1));
    publisher.publish(eventOf(2));
    await publisher.stop(1000);
    expect(batches).toEqual([['id-1', 'id-2']]);
    expect(sent[0]).toMatchObject({
      organisationId: 'o1',
      type: 'posthorn.endpoint.disabled',
      data: Buffer.from('{"number":1}'),
      occurredAt: new Date(1),
      idFromProducer: false,
    });
    expect(sent[0]?.subject).toBeUndefined();
    expect(await count('published')).toBe(2);
  });

  it('tries again, in their order, until event-ingest is back', async () => {
    answer = fail('unavailable');
    publisher.publish(eventOf(1));
    await eventually(() => batches.length === 1);
    publisher.publish(eventOf(2));
    await clock.advanceAsync(250);
    await eventually(() => batches.length === 2);
    answer = accepted;
    await clock.advanceAsync(500);
    await eventually(async () => expect(await count('published')).toBe(2));
    expect(batches).toEqual([['id-1'], ['id-1', 'id-2'], ['id-1', 'id-2']]);
    await publisher.stop(0);
    expect(await count('lost')).toBe(0);
  });

  it('tries again what was refused for now, and gives up what never passes', async () => {
    answer = (event) =>
      event.id === 'id-1'
        ? refused('unavailable')
        : event.id === 'id-2'
          ? refused('not_found')
          : accepted(event);
    for (const number of [1, 2, 3]) publisher.publish(eventOf(number));
    await eventually(() => batches.length === 1);
    answer = accepted;
    await clock.advanceAsync(250);
    await eventually(async () => expect(await count('published')).toBe(2));
    expect(batches).toEqual([['id-1', 'id-2', 'id-3'], ['id-1']]);
    expect(await count('lost')).toBe(1);
    await publisher.stop(0);
  });

  it('keeps a bounded number, and counts those that it loses', async () => {
    answer = fail('unavailable');
    for (const number of [1, 2, 3, 4]) publisher.publish(eventOf(number));
    expect(await count('lost')).toBe(1);
    await eventually(() => batches.length === 1);
    const stopping = publisher.stop(100);
    publisher.publish(eventOf(5));
    await clock.advanceAsync(100);
    await stopping;
    expect(await count('lost')).toBe(5);
    expect(clock.pendingTimers).toBe(0);
  });
});
