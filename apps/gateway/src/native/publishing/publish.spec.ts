import type { ingestV1 } from '@posthorn/contracts';
import { refusalToMessage } from '@posthorn/contracts';
import { DomainError, isId } from '@posthorn/models';
import { FakeClock } from '@posthorn/testing';
import { acme, globex, routedTo, tokens } from '../../testing/fake-services.harness.ts';
import { startTestGateway, type TestGateway } from '../../testing/test-gateway.harness.ts';

const anyTime = new Date('2026-01-31T12:00:00.000Z');

/** An ingest that accepts whatever comes, unless the test says otherwise. */
class FakeIngest {
  readonly events: ingestV1.NewEvent[] = [];
  answer: (event: ingestV1.NewEvent) => ingestV1.PublishResult['result'] = (event) => accepted(event.id);

  readonly handlers = {
    publishStream: (call: Parameters<IngestStream>[0]): void => {
      call.onMessage(({ sequence, event }) => {
        if (event === undefined) return;
        this.events.push(event);
        const result = this.answer(event);
        if (result !== undefined) call.send({ sequence, result: { result } });
      });
      call.onEnd(() => call.end());
    },
  };
}

type IngestStream = NonNullable<
  NonNullable<NonNullable<Parameters<typeof startTestGateway>[0]>['handlers']>['ingest']
>['publishStream'] & {};

function accepted(id: string, duplicate = false): ingestV1.PublishResult['result'] {
  return { $case: 'accepted', value: { id, type: 'order.paid', acceptedAt: anyTime, duplicate } };
}

function refused(error: DomainError, id?: string): ingestV1.PublishResult['result'] {
  return { $case: 'refused', value: refusalToMessage(error, id) };
}

describe('publishing', () => {
  let ingest: FakeIngest;
  let gateway: TestGateway;

  beforeEach(async () => {
    ingest = new FakeIngest();
    gateway = await startTestGateway({ handlers: { ingest: ingest.handlers } });
  });
  afterEach(() => gateway.gateway.stop(1000));

  const publish = (body: unknown, headers = {}, token?: string): ReturnType<TestGateway['call']> =>
    gateway.call('POST', '/v1/events', { body, headers, ...(token !== undefined && { token }) });

  it('answers 202 with id, type, time and that it is no duplicate', async () => {
    const { status, body } = await publish({ type: 'order.paid', data: {} });
    expect(status).toBe(202);
    expect(body).toEqual({
      id: ingest.events[0]?.id,
      type: 'order.paid',
      acceptedAt: anyTime.toISOString(),
      duplicate: false,
    });
    expect(isId(ingest.events[0]?.id ?? '')).toBe(true);
    expect(ingest.events[0]?.organisationId).toBe(acme.id);
  });

  it('passes the payload on as the very bytes that came', async () => {
    const payload = '{ "b":1.0,"a":12345678901234567890, "e":"\\u00e4\\/" }';
    await publish(`{"type":"order.paid","data":${payload},"subject":"s"}`);
    expect(Buffer.from(ingest.events[0]?.data ?? []).toString()).toBe(payload);
  });

  it('says where the publishing key routes to, and carries the trace of the request on', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    await publish({ type: 'order.paid', data: 1 }, { traceparent });
    await publish({ type: 'order.paid', data: 1 }, { traceparent: 'none' }, tokens.routed);
    expect(ingest.events.map((event) => [event.routesTo, event.traceparent])).toEqual([
      [undefined, traceparent],
      [routedTo, undefined],
    ]);
  });

  it('takes the key from the header as from the body', async () => {
    await publish({ type: 'order.paid', data: 1 }, { 'Idempotency-Key': 'k1' });
    await publish({ type: 'order.paid', data: 1, idempotencyKey: 'k2' });
    expect(ingest.events.map(({ idempotencyKey }) => idempotencyKey)).toEqual(['k1', 'k2']);
  });

  it('shows a duplicate, but not one that is only its own event sent twice', async () => {
    ingest.answer = () => accepted('the-first', true);
    expect((await publish({ type: 'order.paid', data: 1, idempotencyKey: 'k' })).body).toMatchObject({
      id: 'the-first',
      duplicate: true,
    });
    ingest.answer = ({ id }) => accepted(id, true);
    expect((await publish({ type: 'order.paid', data: 1 })).body).toMatchObject({ duplicate: false });
    expect((await publish({ type: 'order.paid', data: 1, id: 'mine' })).body).toMatchObject({
      id: 'mine',
      duplicate: true,
    });
  });

  it('tells everything that is wrong with an event at once, and sends nothing on', async () => {
    const { status, body } = await publish({ type: 'a b', labels: [], more: 1 });
    expect(status).toBe(400);
    const { violations } = body as { violations: { field: string }[] };
    expect(violations.map(({ field }) => field).sort()).toEqual(['/data', '/labels', '/more', '/type']);
    expect(ingest.events).toHaveLength(0);
  });

  it.each(['', '{', '[]', 'nonsense', '{"type":"a","data":1,"data":2}'])(
    'answers 400 to the body %j',
    async (text) => {
      expect((await publish(text)).status).toBe(400);
    },
  );

  it('answers 413 to an event over the limit, and takes one of exactly the limit', async () => {
    const text = (bytes: number): string => {
      const frame = '{"type":"order.paid","data":""}';
      return frame.replace('""', `"${'x'.repeat(bytes - frame.length)}"`);
    };
    expect((await publish(text(256 * 1024))).status).toBe(202);
    expect((await publish(text(256 * 1024 + 1))).status).toBe(413);
  });

  it('needs the scope events:write', async () => {
    expect((await publish({ type: 'a', data: 1 }, {}, tokens.reader)).status).toBe(403);
    expect((await publish({ type: 'a', data: 1 }, {}, tokens.publisher)).status).toBe(202);
    expect((await publish({ type: 'a', data: 1 }, {}, 'unknown')).status).toBe(401);
  });

  it('lets operators name the organisation in the body or the header, by id or slug', async () => {
    const event = { type: 'order.paid', data: 1 };
    await publish({ ...event, organisation: 'globex' }, {}, tokens.operator);
    await publish({ ...event, organisation: globex.id }, {}, tokens.operator);
    await publish(event, { 'Posthorn-Organisation': 'globex' }, tokens.operator);
    expect(ingest.events.map(({ organisationId }) => organisationId)).toEqual([
      globex.id,
      globex.id,
      globex.id,
    ]);
    const unnamed = await publish(event, {}, tokens.operator);
    expect(unnamed).toMatchObject({ status: 400, body: { violations: [{ field: '/organisation' }] } });
    expect((await publish({ ...event, organisation: 'nobody' }, {}, tokens.operator)).status).toBe(404);
    expect((await publish({ ...event, organisation: 'globex' })).status).toBe(404);
    expect(ingest.events).toHaveLength(3);
  });

  it.each<[number, DomainError]>([
    [
      400,
      DomainError.invalid([{ field: '/data/total', code: 'schema_type', message: 'This must be string.' }]),
    ],
    [413, new DomainError('payload_too_large', 'Too large.')],
    [409, new DomainError('idempotency_mismatch', 'Other content.')],
    [404, new DomainError('not_found', 'There is no such organisation.')],
  ])('answers %i to what the accept path refuses so', async (status, error) => {
    ingest.answer = () => refused(error);
    const answer = await publish({ type: 'order.paid', data: 1 });
    expect(answer).toMatchObject({ status, body: { code: error.code, detail: error.message } });
  });

  it('answers 503 with the id to publish again with and Retry-After when it is not known whether it was kept', async () => {
    ingest.answer = ({ id }) => refused(new DomainError('unavailable', 'Full.', { retryAfterMs: 5000 }), id);
    const answer = await publish({ type: 'order.paid', data: 1 });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(answer.body).toMatchObject({ code: 'unavailable', id: ingest.events[0]?.id });
  });

  it('answers 503 with the id after 10 seconds without an acknowledgement', async () => {
    await gateway.gateway.stop(1000);
    const clock = new FakeClock();
    gateway = await startTestGateway({ handlers: { ingest: ingest.handlers }, clock });
    let arrived = (): void => undefined;
    const waiting = new Promise<void>((resolve) => (arrived = resolve));
    ingest.answer = () => {
      arrived();
      return undefined;
    };
    const answer = publish({ type: 'order.paid', data: 1, id: 'mine' });
    await waiting;
    await clock.advanceAsync(10_000);
    expect(await answer).toMatchObject({ status: 503, body: { id: 'mine' } });
  });
});

describe('limits', () => {
  const perSecond = {
    name: 'organisation-publishes-per-second',
    quota: 3n,
    windowSeconds: 1n,
    resetSeconds: 1n,
    countsBytes: false,
  };
  const perDay = {
    name: 'key-bytes-per-day',
    quota: 1000n,
    windowSeconds: 86_400n,
    resetSeconds: 7200n,
    countsBytes: true,
  };
  const policy =
    '"organisation-publishes-per-second";q=3;w=1, "key-bytes-per-day";q=1000;qu="content-bytes";w=86400';
  const event = { type: 'order.paid', data: 1 };
  const full = new DomainError('rate_limited', 'None is left.', { retryAfterMs: 400 });
  let ingest: FakeIngest;
  let gateway: TestGateway;
  let left: bigint;

  beforeEach(async () => {
    ingest = new FakeIngest();
    gateway = await startTestGateway({ handlers: { ingest: ingest.handlers } });
    left = 3n;
    ingest.answer = ({ id }) => {
      const isFull = left === 0n;
      if (!isFull) left -= 1n;
      const limits = {
        states: [
          { ...perSecond, remaining: left },
          { ...perDay, remaining: 990n },
        ],
      };
      return isFull
        ? { $case: 'refused', value: { ...refusalToMessage(full), limits } }
        : {
            $case: 'accepted',
            value: { id, type: 'order.paid', acceptedAt: anyTime, duplicate: false, limits },
          };
    };
  });
  afterEach(() => gateway.gateway.stop(1000));

  const publish = (body: unknown, path = '/v1/events', token: string = tokens.acme) =>
    gateway.call('POST', path, { body, token });
  const headersOf = ({ headers }: { headers: Headers }): unknown[] =>
    ['ratelimit-policy', 'ratelimit', 'retry-after'].map((name) => headers.get(name));
  const state = (remaining: number): string =>
    `"organisation-publishes-per-second";r=${remaining};t=1, "key-bytes-per-day";r=990;t=7200`;

  it('are told with every 202, and with the 429 when one has no room', async () => {
    for (const remaining of [2, 1, 0]) {
      const answer = await publish(event);
      expect([answer.status, ...headersOf(answer)]).toEqual([202, policy, state(remaining), null]);
    }
    const answer = await publish(event);
    expect([answer.status, ...headersOf(answer)]).toEqual([429, policy, state(0), '1']);
    expect(answer.body).toMatchObject({ code: 'rate_limited', detail: 'None is left.' });
  });

  it('are told with a batch as they are after its last event, and those without room are 429s in it', async () => {
    const answer = await publish({ events: [event, event, event, event] }, '/v1/events/batch');
    expect([answer.status, ...headersOf(answer)]).toEqual([202, policy, state(0), null]);
    expect(answer.body).toMatchObject({
      data: [{ duplicate: false }, { duplicate: false }, { duplicate: false }, { status: 429 }],
    });
  });

  it('are told with a batch as they were answered last, also when some of it had been accepted before', async () => {
    const remaining = [1n, 0n, 2n];
    ingest.answer = ({ id }) => {
      const limits = {
        states: [
          { ...perSecond, remaining: remaining.shift() ?? 0n },
          { ...perDay, remaining: 990n },
        ],
      };
      return {
        $case: 'accepted',
        value: { id, type: 'order.paid', acceptedAt: anyTime, duplicate: false, limits },
      };
    };
    const answer = await publish({ events: [event, event, event] }, '/v1/events/batch');
    expect([answer.status, ...headersOf(answer)]).toEqual([202, policy, state(2), null]);
  });

  it('make a batch a 429 when there is room for nothing of it', async () => {
    left = 0n;
    const answer = await publish({ events: [event, event] }, '/v1/events/batch');
    expect([answer.status, ...headersOf(answer)]).toEqual([429, policy, state(0), '1']);
    expect(answer.body).toMatchObject({ code: 'rate_limited', data: [{ status: 429 }, { status: 429 }] });
  });

  it('are told by nobody where there are none', async () => {
    ingest.answer = ({ id }) => accepted(id);
    for (const answer of [await publish(event), await publish({ events: [event] }, '/v1/events/batch')])
      expect([answer.status, ...headersOf(answer)]).toEqual([202, null, null, null]);
  });

  it('of the key that publishes are told to the accept path', async () => {
    await publish(event, '/v1/events', tokens.limited);
    await publish(event);
    expect(ingest.events.map(({ limitedKey }) => limitedKey)).toEqual([
      { id: tokens.limited, limits: { publishesPerDay: 7n } },
      undefined,
    ]);
  });
});

describe('publishing many', () => {
  let ingest: FakeIngest;
  let gateway: TestGateway;

  beforeEach(async () => {
    ingest = new FakeIngest();
    gateway = await startTestGateway({ handlers: { ingest: ingest.handlers } });
  });
  afterEach(() => gateway.gateway.stop(1000));

  const publishBatch = (body: unknown, token: string = tokens.acme): ReturnType<TestGateway['call']> =>
    gateway.call('POST', '/v1/events/batch', { body, token });
  /** Past the check that what is accepted fits the document: what is wrong with one event spoils none of the others. */
  const publishAnyBatch = (text: string, contentType: string): ReturnType<TestGateway['fetch']> =>
    gateway.fetch('/v1/events/batch', {
      method: 'POST',
      headers: { Authorization: `Bearer ${tokens.acme}`, 'Content-Type': contentType },
      body: Buffer.from(text),
    });
  const results = (answer: { body: unknown }): unknown[] => (answer.body as { data: unknown[] }).data;

  it('answers for each event in its place: one bad event spoils none of the others', async () => {
    ingest.answer = ({ id, type }) =>
      type === 'order.mismatch'
        ? refused(new DomainError('idempotency_mismatch', 'Other content.'))
        : accepted(id);
    const batch = {
      events: [
        { type: 'order.paid', data: 1, id: 'a' },
        { type: 'order.paid' },
        { type: 'order.mismatch', data: 1 },
        7,
        { type: 'order.paid', data: 'x'.repeat(300 * 1024) },
        { type: 'order.paid', data: 1, organisation: 'globex' },
        { type: 'order.paid', data: 1, id: 'b' },
      ],
    };
    const answer = await publishAnyBatch(JSON.stringify(batch), 'application/json');
    expect(answer.status).toBe(202);
    expect(results(answer)).toMatchObject([
      { id: 'a', duplicate: false },
      { status: 400, violations: [{ field: '/data', code: 'required' }] },
      { status: 409, code: 'idempotency_mismatch' },
      { status: 400, violations: [{ field: '' }] },
      { status: 413 },
      { status: 404 },
      { id: 'b', duplicate: false },
    ]);
  });

  it('keeps the bytes of each payload', async () => {
    const payloads = ['{"a":1.0}', '[ 1,2 ]', '"\\u00e4"'];
    await publishBatch(`{"events":[${payloads.map((data) => `{"type":"a","data":${data}}`).join(' ,\n')}]}`);
    expect(ingest.events.map(({ data }) => Buffer.from(data).toString())).toEqual(payloads);
  });

  it('takes an event a line', async () => {
    const lines = '{"type":"a","data":1}\n\nnot JSON\n{"type":"b","data":2}\n';
    const answer = await publishAnyBatch(lines, 'application/x-ndjson');
    expect(results(answer)).toMatchObject([{ duplicate: false }, { status: 400 }, { duplicate: false }]);
    expect(ingest.events.map(({ type }) => type)).toEqual(['a', 'b']);
  });

  it('takes 1,000 events, answers 400 to one more, and to what holds no events', async () => {
    const events = Array.from({ length: 1000 }, () => ({ type: 'a', data: 1 }));
    const answer = await publishBatch({ events });
    expect(results(answer)).toHaveLength(1000);
    expect(new Set(ingest.events.map(({ id }) => id)).size).toBe(1000);
    expect(await publishBatch({ events: [...events, events[0]] })).toMatchObject({
      status: 400,
      body: { violations: [{ field: '/events', code: 'too_many' }] },
    });
    for (const body of ['', '[]', '{}', '{"events":[}', { events: {}, more: 1 }]) {
      expect((await publishBatch(body)).status).toBe(400);
    }
    expect(await publishBatch({ events: [] })).toMatchObject({ status: 202, body: { data: [] } });
  });

  it('answers 413 to a batch over 16 MiB', async () => {
    expect((await publishBatch(`{"events":[${' '.repeat(16 * 1024 * 1024)}]}`)).status).toBe(413);
  });

  it('answers 503 only when nothing could be known, with the ids', async () => {
    const away = new DomainError('unavailable', 'Full.', { retryAfterMs: 3000 });
    ingest.answer = ({ id }) => (id === 'a' ? accepted(id) : refused(away, id));
    const events = [
      { type: 'x', data: 1, id: 'a' },
      { type: 'x', data: 1, id: 'b' },
    ];
    const partly = await publishBatch({ events });
    expect(partly).toMatchObject({ status: 202, body: { data: [{ id: 'a' }, { id: 'b', status: 503 }] } });
    ingest.answer = ({ id }) => refused(away, id);
    const nothing = await publishBatch({ events });
    expect(nothing).toMatchObject({ status: 503, body: { data: [{ id: 'a' }, { id: 'b' }] } });
    expect(nothing.headers.get('retry-after')).toBe('3');
  });

  it("gives each event a key from the batch's, unless it has one of its own", async () => {
    const events = [
      { type: 'a', data: 1 },
      { type: 'a', data: 1, idempotencyKey: 'own' },
      { type: 'a', data: 1 },
    ];
    const send = (key: string): ReturnType<TestGateway['call']> =>
      gateway.call('POST', '/v1/events/batch', { body: { events }, headers: { 'Idempotency-Key': key } });
    await send('k');
    expect(ingest.events.map(({ idempotencyKey }) => idempotencyKey)).toEqual(['k/0', 'own', 'k/2']);
    expect((await send('x'.repeat(250))).status).toBe(202);
    expect((await send('x'.repeat(251))).status).toBe(400);
  });

  it('lets each event of an operator name its organisation', async () => {
    await publishBatch(
      { events: [acme.slug, globex.slug].map((organisation) => ({ type: 'a', data: 1, organisation })) },
      tokens.operator,
    );
    expect(ingest.events.map(({ organisationId }) => organisationId)).toEqual([acme.id, globex.id]);
  });
});
