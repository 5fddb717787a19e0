import { dispatchV1, replayToMessage } from '@posthorn/contracts';
import { DomainError, type Replay } from '@posthorn/models';
import { acme, type FakeHandlers } from '../testing/fake-services.harness.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.harness.ts';

const at = new Date('2026-01-31T12:00:00.000Z');

const replay: Replay = {
  id: 'r1',
  organisationId: acme.id,
  state: 'running',
  selection: {
    endpoint: 'n1',
    eventId: null,
    eventTypes: [],
    states: ['failed', 'exhausted', 'held'],
    statusClass: 5,
    since: at,
    until: at,
    createdAfter: null,
    createdBefore: null,
    includeUnmatched: true,
  },
  trigger: 'replay',
  perSecond: 50,
  dryRun: false,
  progress: {
    total: 9,
    done: 3,
    skipped: 2,
    skippedBecause: { payload_expired: 2 },
    remaining: 4,
    estimatedEndAt: at,
  },
  error: null,
  createdBy: 'key',
  createdAt: at,
  startedAt: at,
  finishedAt: null,
};

const shown = {
  id: 'r1',
  state: 'running',
  trigger: 'replay',
  endpoint: 'n1',
  eventId: null,
  eventTypes: null,
  states: ['failed', 'exhausted', 'held'],
  statusClass: '5xx',
  since: at.toISOString(),
  until: at.toISOString(),
  createdAfter: null,
  createdBefore: null,
  includeUnmatched: true,
  perSecond: 50,
  dryRun: false,
  progress: {
    total: 9,
    done: 3,
    skipped: 2,
    skippedBecause: { payload_expired: 2 },
    remaining: 4,
    estimatedEndAt: at.toISOString(),
  },
  error: null,
  createdBy: 'key',
  createdAt: at.toISOString(),
  startedAt: at.toISOString(),
  finishedAt: null,
};

const { DELIVERY_STATE_FAILED, DELIVERY_STATE_EXHAUSTED, DELIVERY_STATE_HELD } = dispatchV1.DeliveryState;
const { ATTEMPT_TRIGGER_MANUAL, ATTEMPT_TRIGGER_REPLAY } = dispatchV1.AttemptTrigger;

describe('replays', () => {
  let gateway: TestGateway;
  let asked: dispatchV1.CreateReplayRequest | undefined;

  async function start(replays: NonNullable<FakeHandlers['replays']> = {}): Promise<TestGateway['call']> {
    gateway = await startTestGateway({
      handlers: {
        replays: {
          createReplay: (request) => {
            asked = request;
            return Promise.resolve({ replay: replayToMessage({ ...replay, dryRun: request.dryRun }) });
          },
          ...replays,
        },
      },
    });
    return gateway.call;
  }
  afterEach(() => gateway.gateway.stop(1000));

  function fieldsOf({ body }: { body: unknown }): string[] {
    return (body as { violations: { field: string }[] }).violations.map(({ field }) => field);
  }

  it('begin with what they are asked for, and are shown with their progress', async () => {
    const call = await start();
    const answer = await call('POST', '/v1/replays', {
      body: {
        endpoint: 'shop',
        eventId: 'e1',
        since: '2026-01-01T00:00:00Z',
        until: '2026-02-01T00:00:00Z',
        states: ['held'],
        eventTypes: ['order.*'],
        statusClass: '5xx',
        includeUnmatched: true,
        perSecond: 50,
      },
    });
    expect(answer.status).toBe(202);
    expect(answer.body).toEqual(shown);
    expect(asked).toEqual({
      organisationId: acme.id,
      selection: {
        endpoint: 'shop',
        eventId: 'e1',
        eventTypes: ['order.*'],
        states: [DELIVERY_STATE_HELD],
        statusClass: 5,
        since: new Date('2026-01-01T00:00:00Z'),
        until: new Date('2026-02-01T00:00:00Z'),
        createdAfter: undefined,
        createdBefore: undefined,
        includeUnmatched: true,
      },
      trigger: ATTEMPT_TRIGGER_REPLAY,
      perSecond: 50,
      dryRun: false,
    });
  });

  it('are about what failed, was exhausted or is held when nobody says, also beside what matched nothing', async () => {
    const call = await start();
    await call('POST', '/v1/replays', { body: { endpoint: 'shop' } });
    expect(asked?.selection).toMatchObject({ states: [], includeUnmatched: false });
    await call('POST', '/v1/replays', { body: { endpoint: 'shop', includeUnmatched: true } });
    expect(asked?.selection?.states).toEqual([
      DELIVERY_STATE_FAILED,
      DELIVERY_STATE_EXHAUSTED,
      DELIVERY_STATE_HELD,
    ]);
    await call('POST', '/v1/replays', { body: { endpoint: 'shop', includeUnmatched: true, states: [] } });
    expect(asked?.selection?.states).toEqual([]);
  });

  it('that only count are answered with 200', async () => {
    const call = await start();
    const { status, body } = await call('POST', '/v1/replays', { body: { endpoint: 'shop', dryRun: true } });
    expect(status).toBe(200);
    expect(body).toMatchObject({ dryRun: true, progress: { remaining: 4 } });
  });

  it('are refused when they are about everything there ever was, or are malformed', async () => {
    const call = await start();
    const everything = await call('POST', '/v1/replays', { body: { perSecond: 5 } });
    expect(everything.status).toBe(400);
    expect(fieldsOf(everything)).toEqual(['']);
    const wrong = await call('POST', '/v1/replays', {
      body: {
        since: '2026-02-31T00:00:00Z',
        states: ['lost'],
        perSecond: 0,
        endpoints: ['a'],
        statusClass: 5,
      },
    });
    expect(wrong.status).toBe(400);
    expect(fieldsOf(wrong).sort()).toEqual(
      expect.arrayContaining(['/endpoints', '/perSecond', '/since', '/states/0', '/statusClass']),
    );
    const empty = await call('POST', '/v1/replays', { body: { endpoint: 'shop', states: [] } });
    expect(fieldsOf(empty)).toEqual(['/states']);
  });

  it("are made of the list's filters for a retry of many deliveries", async () => {
    const call = await start();
    const answer = await call('POST', '/v1/deliveries/retry', {
      body: {
        endpointId: 'n1',
        eventId: 'e1',
        eventType: 'order.paid',
        state: ['held', 'failed'],
        statusClass: '4xx',
        after: '2026-01-01T00:00:00Z',
        before: '2026-02-01T00:00:00Z',
        perSecond: 7,
      },
    });
    expect(answer.status).toBe(202);
    expect(asked).toMatchObject({
      selection: {
        endpoint: 'n1',
        eventId: 'e1',
        eventTypes: ['order.paid'],
        states: [DELIVERY_STATE_HELD, DELIVERY_STATE_FAILED],
        statusClass: 4,
        createdAfter: new Date('2026-01-01T00:00:00Z'),
        createdBefore: new Date('2026-02-01T00:00:00Z'),
        includeUnmatched: false,
      },
      trigger: ATTEMPT_TRIGGER_MANUAL,
      perSecond: 7,
    });
    await call('POST', '/v1/deliveries/retry', { body: { state: 'exhausted' } });
    expect(asked?.selection?.states).toEqual([DELIVERY_STATE_EXHAUSTED]);
    const nothing = await call('POST', '/v1/deliveries/retry', { body: { dryRun: true } });
    expect(nothing.status).toBe(400);
  });

  it.each(['lost', [], ['held', 'lost'], 5])(
    'say which states there are to one who asks for %j',
    async (state) => {
      const call = await start();
      const { status, body } = await call('POST', '/v1/deliveries/retry', { body: { state, eventId: 'e1' } });
      expect(status).toBe(400);
      expect(body).toMatchObject({
        violations: expect.arrayContaining([
          {
            field: '/state',
            code: 'invalid_value',
            message: expect.stringMatching(
              /^This must be one of "pending", .*"cancelled", or an array of 1 to 7\.$/,
            ),
          },
        ]),
      });
    },
  );

  it.each(['*', 'order.*'])(
    'retry no other event types than the list shows: %s is a pattern, and no type',
    async (eventType) => {
      const call = await start();
      const answer = await call('POST', '/v1/deliveries/retry', { body: { eventType } });
      expect(answer.status).toBe(400);
      expect(fieldsOf(answer)).toContain('/eventType');
    },
  );

  it('are listed by state, read and cancelled', async () => {
    let listed: dispatchV1.ListReplaysRequest | undefined;
    const message = replayToMessage(replay);
    const call = await start({
      listReplays: (request) => {
        listed = request;
        return Promise.resolve({ replays: [message], nextCursor: 'next' });
      },
      getReplay: ({ id }) =>
        id === 'r1'
          ? Promise.resolve({ replay: message })
          : Promise.reject(new DomainError('not_found', 'There is no replay.')),
      cancelReplay: () => Promise.reject(new DomainError('failed_precondition', 'It has ended already.')),
    });
    const list = await call('GET', '/v1/replays?state=running&state=pending&limit=3');
    expect(list.body).toEqual({ data: [shown], nextCursor: 'next' });
    expect(listed).toMatchObject({
      limit: 3,
      states: [dispatchV1.ReplayState.REPLAY_STATE_RUNNING, dispatchV1.ReplayState.REPLAY_STATE_PENDING],
    });
    expect((await call('GET', '/v1/replays/r1')).body).toEqual(shown);
    expect((await call('GET', '/v1/replays/unknown')).status).toBe(404);
    expect((await call('POST', '/v1/replays/r1/cancel')).status).toBe(409);
  });
});
