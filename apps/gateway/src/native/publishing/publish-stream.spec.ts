import { ingestV1, refusalToMessage } from '@posthorn/contracts';
import { DomainError, servicePrincipal } from '@posthorn/models';
import { createInProcessClient, defineService, type StreamCall } from '@posthorn/rpc';
import { createMetrics, silentLogger, type Metrics } from '@posthorn/runtime';
import { eventually, FakeClock } from '@posthorn/testing';
import {
  createPublisher,
  type Publisher,
  type PublisherOptions,
  type PublishOutcome,
} from './publish-stream.ts';

const principal = servicePrincipal('gateway');

type Call = StreamCall<ingestV1.PublishStreamRequest, ingestV1.PublishStreamResponse>;

/** An ingest that does nothing by itself: the test looks at what came and answers. */
class ManualIngest {
  readonly calls: Call[] = [];
  /** What came, by call. */
  readonly received: ingestV1.PublishStreamRequest[][] = [];
  readonly closed: number[] = [];
  onCall: (call: Call) => void = () => undefined;

  readonly registration = defineService(ingestV1.IngestServiceService, {
    publish: () => Promise.reject(new Error('not used')),
    publishBatch: () => Promise.reject(new Error('not used')),
    publishStream: (call) => {
      const index = this.calls.push(call) - 1;
      const received: ingestV1.PublishStreamRequest[] = [];
      this.received.push(received);
      call.onMessage((request) => void received.push(request));
      call.onEnd(() => call.end());
      call.onClose(() => void this.closed.push(index));
      this.onCall(call);
    },
  });

  /** All that came on a call, by event id. */
  ids(index: number): string[] {
    return (this.received[index] ?? []).map(({ event }) => event?.id ?? '');
  }

  accept(index: number, id: string): void {
    this.#answer(index, id, {
      $case: 'accepted',
      value: { id, type: 'order.paid', acceptedAt: new Date(0), duplicate: false },
    });
  }

  refuse(index: number, id: string, error: DomainError): void {
    this.#answer(index, id, { $case: 'refused', value: refusalToMessage(error, id) });
  }

  #answer(index: number, id: string, result: ingestV1.PublishResult['result']): void {
    const request = this.received[index]?.find(({ event }) => event?.id === id);
    this.calls[index]?.send({ sequence: request?.sequence ?? -1n, result: { result } });
  }
}

describe('the streams that publishes ride on', () => {
  let clock: FakeClock;
  let ingest: ManualIngest;
  let publisher: Publisher;
  let metrics: Metrics;

  function open(options: Partial<PublisherOptions> = {}): void {
    metrics = createMetrics();
    const client = createInProcessClient(ingest.registration, { logger: silentLogger, metrics, clock });
    publisher = createPublisher({
      ingest: client,
      principal,
      clock,
      logger: silentLogger,
      metrics,
      streams: 1,
      ...options,
    });
  }

  function publish(id: string, bytes = 10, orderingKey?: string): Promise<PublishOutcome> {
    return publisher.publish({
      id,
      organisationId: 'o1',
      type: 'order.paid',
      data: new Uint8Array(bytes),
      labels: {},
      subject: undefined,
      idempotencyKey: undefined,
      occurredAt: undefined,
      deliverAt: undefined,
      idFromProducer: false,
      orderingKey,
    });
  }

  beforeEach(() => {
    clock = new FakeClock();
    ingest = new ManualIngest();
    open();
  });

  afterEach(() => {
    publisher.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it('sends concurrent publishes on one stream and answers each by its own acknowledgement', async () => {
    const [a, b] = [publish('a'), publish('b')];
    await eventually(() => ingest.received[0]?.length === 2);
    ingest.accept(0, 'b');
    expect(await b).toMatchObject({ accepted: { id: 'b' } });
    ingest.refuse(
      0,
      'a',
      DomainError.invalid([{ field: '/type', code: 'retired', message: 'This event type is retired.' }]),
    );
    expect(await a).toMatchObject({
      refused: { code: 'invalid_argument', violations: [{ field: '/type' }] },
    });
    expect(ingest.calls).toHaveLength(1);
  });

  it('spreads over as many streams as it is given', async () => {
    open({ streams: 3 });
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) void publish(id);
    await eventually(() => ingest.received.flat().length === 6);
    expect(ingest.received.map((requests) => requests.length)).toEqual([2, 2, 2]);
  });

  it('sends what has the same ordering key on the same stream, in the order in which it was published', async () => {
    open({ streams: 3 });
    const keys = ['a', 'b', 'c', 'd', 'e'];
    for (const n of [0, 1, 2]) for (const key of keys) void publish(`${key}-${n}`, 10, key);
    await eventually(() => ingest.received.flat().length === 15);
    expect(ingest.received.length).toBeGreaterThan(1);
    for (const key of keys) {
      const received = ingest.received.map((_, index) => ingest.ids(index).filter((id) => id[0] === key));
      expect(received.filter((ids) => ids.length > 0)).toEqual([[`${key}-0`, `${key}-1`, `${key}-2`]]);
    }
  });

  it('sends what was not acknowledged again after a break, under the same ids, and only that', async () => {
    const published = ['a', 'b', 'c'].map((id) => publish(id));
    await eventually(() => ingest.received[0]?.length === 3);
    ingest.accept(0, 'b');
    await published[1];
    ingest.calls[0]?.fail(new DomainError('unavailable', 'killed'));
    await clock.advanceAsync(0);
    await eventually(() => ingest.received[1]?.length === 2);
    expect(ingest.ids(1)).toEqual(['a', 'c']);
    ingest.accept(1, 'a');
    ingest.accept(1, 'c');
    expect(await Promise.all(published)).toMatchObject(['a', 'b', 'c'].map((id) => ({ accepted: { id } })));
  });

  it('does not take a refusal for now for an answer to what was sent before: it may have been kept then', async () => {
    const full = new DomainError('rate_limited', 'None is left.');
    const published = ['a', 'b', 'c'].map((id) => publish(id));
    await eventually(() => ingest.received[0]?.length === 3);
    ingest.calls[0]?.fail(new DomainError('unavailable', 'killed'));
    await clock.advanceAsync(0);
    await eventually(() => ingest.received[1]?.length === 3);
    ingest.refuse(1, 'a', full);
    ingest.refuse(1, 'b', new DomainError('unavailable', 'Nothing was kept.'));
    ingest.refuse(1, 'c', new DomainError('idempotency_mismatch', 'Other content.'));
    expect(await Promise.all(published)).toMatchObject([
      { refused: { code: 'unavailable' }, id: 'a' },
      { refused: { code: 'unavailable' }, id: 'b' },
      { refused: { code: 'idempotency_mismatch' } },
    ]);
    const first = publish('d');
    await eventually(() => ingest.ids(1).includes('d'));
    ingest.refuse(1, 'd', full);
    expect(await first).toMatchObject({ refused: { code: 'rate_limited' } });
  });

  it('goes on with a stream that was ended well, as when a server is replaced', async () => {
    const a = publish('a');
    await eventually(() => ingest.received[0]?.length === 1);
    ingest.calls[0]?.end();
    await clock.advanceAsync(0);
    await eventually(() => ingest.received[1]?.length === 1);
    ingest.accept(1, 'a');
    expect(await a).toMatchObject({ accepted: { id: 'a' } });
  });

  it('opens no stream after a break while nothing waits, and one when something comes', async () => {
    const a = publish('a');
    await eventually(() => ingest.received[0]?.length === 1);
    ingest.accept(0, 'a');
    await a;
    ingest.calls[0]?.fail(new DomainError('unavailable', 'killed'));
    await clock.advanceAsync(5000);
    expect(ingest.calls).toHaveLength(1);
    void publish('b');
    await eventually(() => ingest.received[1]?.length === 1);
  });

  it('waits longer and longer, at most a second, between streams that do nothing', async () => {
    ingest.onCall = (call) => call.fail(new DomainError('unavailable', 'away'));
    const a = publish('a');
    await clock.advanceAsync(9_999);
    // 0, 20, 40, … 640, and then every second.
    expect(ingest.calls.length).toBeGreaterThan(12);
    expect(ingest.calls.length).toBeLessThan(20);
    ingest.onCall = () => undefined;
    await clock.advanceAsync(1);
    expect(await a).toMatchObject({ refused: { code: 'unavailable' }, id: 'a' });
  });

  it('answers "not known" with the id when there is no acknowledgement within 10 seconds', async () => {
    const a = publish('a');
    await clock.advanceAsync(4_000);
    const b = publish('b');
    await eventually(() => ingest.received[0]?.length === 2);
    await clock.advanceAsync(5_999);
    ingest.accept(0, 'b');
    await b;
    await clock.advanceAsync(1);
    const outcome = await a;
    expect(outcome).toMatchObject({ id: 'a', refused: { code: 'unavailable', retryAfterMs: 1000 } });
    expect(outcome.refused?.message).toContain('"a"');
    // What comes too late changes nothing.
    ingest.accept(0, 'a');
    const c = publish('c');
    await eventually(() => ingest.received[0]?.length === 3);
    ingest.accept(0, 'c');
    expect(await c).toMatchObject({ accepted: { id: 'c' } });
  });

  it('passes on that it is not known, with the id and the wait', async () => {
    const a = publish('a');
    await eventually(() => ingest.received[0]?.length === 1);
    ingest.refuse(0, 'a', new DomainError('unavailable', 'The disk is full.', { retryAfterMs: 5000 }));
    expect(await a).toMatchObject({ id: 'a', refused: { code: 'unavailable', retryAfterMs: 5000 } });
  });

  it('refuses at once when too many events wait, and says that nothing was kept', async () => {
    open({ maxWaiting: 2 });
    const [a] = [publish('a'), publish('b')];
    const refused = await publish('c');
    expect(refused).toMatchObject({ id: undefined, refused: { code: 'unavailable', retryAfterMs: 1000 } });
    await eventually(() => ingest.received[0]?.length === 2);
    ingest.accept(0, 'a');
    await a;
    expect(await metrics.render()).toContain('posthorn_gateway_publishes_waiting 1');
    const d = publish('d');
    await eventually(() => ingest.received[0]?.length === 3);
    ingest.accept(0, 'd');
    expect(await d).toMatchObject({ accepted: { id: 'd' } });
  });

  it('refuses at once when too many bytes wait, but takes any event when none does', async () => {
    open({ maxWaitingBytes: 100 });
    const a = publish('a', 500);
    expect(await publish('b', 1)).toMatchObject({ refused: { code: 'unavailable' } });
    await eventually(() => ingest.received[0]?.length === 1);
    ingest.accept(0, 'a');
    await a;
    const [c, d] = [publish('c', 50), publish('d', 50)];
    expect(await publish('e', 1)).toMatchObject({ refused: { code: 'unavailable' } });
    await eventually(() => ingest.received[0]?.length === 3);
    ingest.accept(0, 'c');
    ingest.accept(0, 'd');
    await Promise.all([c, d]);
  });

  it('answers what waits as not known when it is stopped, ends its streams and takes nothing more', async () => {
    const a = publish('a');
    await eventually(() => ingest.received[0]?.length === 1);
    publisher.stop();
    expect(await a).toMatchObject({ refused: { code: 'unavailable' }, id: 'a' });
    expect(await publish('b')).toMatchObject({ refused: { code: 'unavailable' }, id: undefined });
    await eventually(() => ingest.closed.includes(0));
    expect(ingest.calls).toHaveLength(1);
  });
});
