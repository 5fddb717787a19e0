import type { dispatchV1 } from '@posthorn/contracts';
import { DomainError, newId } from '@posthorn/models';
import { createSeededRandom, eventually, FakeClock } from '@posthorn/testing';
import { acme, tokens, type FakeHandlers } from '../testing/fake-services.harness.ts';
import {
  startTestGateway,
  type TestGateway,
  type TestGatewayOptions,
} from '../testing/test-gateway.harness.ts';

const payload = '{ "b":1.0,"a":12345678901234567890 }';
const event: dispatchV1.Event = {
  id: 'e1',
  organisationId: acme.id,
  type: 'order.paid',
  data: Buffer.from(payload),
  labels: { region: 'eu' },
  subject: undefined,
  idempotencyKey: 'k',
  deliverAt: undefined,
  occurredAt: new Date('2026-01-30T12:00:00.000Z'),
  acceptedAt: new Date('2026-01-31T12:00:00.000Z'),
};
const shown = {
  id: 'e1',
  type: 'order.paid',
  labels: { region: 'eu' },
  subject: null,
  idempotencyKey: 'k',
  orderingKey: null,
  routesTo: null,
  deliverAt: null,
  occurredAt: '2026-01-30T12:00:00.000Z',
  acceptedAt: '2026-01-31T12:00:00.000Z',
};

type EventHandlers = NonNullable<FakeHandlers['events']>;

describe('events', () => {
  let gateway: TestGateway | undefined;

  async function start(events: EventHandlers, options: TestGatewayOptions = {}): Promise<TestGateway> {
    gateway = await startTestGateway({ handlers: { events }, ...options });
    return gateway;
  }
  afterEach(() => gateway?.gateway.stop(1000));

  it('lists by type, labels, subject, key and time', async () => {
    let asked: dispatchV1.ListEventsRequest | undefined;
    const { call } = await start({
      listEvents: (request) => {
        asked = request;
        return Promise.resolve({ events: [event], nextCursor: 'next' });
      },
    });
    const filters =
      'type=order.paid&label=region:eu&label=tier:a:b&subject=s&idempotencyKey=k&after=2026-01-01T00:00:00Z&before=2026-02-01T00:00:00Z';
    const { body } = await call('GET', `/v1/events?limit=7&cursor=abc&${filters}`);
    expect(asked).toEqual({
      organisationId: acme.id,
      limit: 7,
      cursor: 'abc',
      type: 'order.paid',
      labels: { region: 'eu', tier: 'a:b' },
      subject: 's',
      idempotencyKey: 'k',
      after: new Date('2026-01-01T00:00:00Z'),
      before: new Date('2026-02-01T00:00:00Z'),
    });
    expect(body).toEqual({ data: [shown], nextCursor: 'next' });
    await call('GET', '/v1/events');
    expect(asked).toMatchObject({ limit: 50, cursor: '', labels: {}, type: undefined });
    expect((await call('GET', '/v1/events?label=region&unknown=1&limit=0')).status).toBe(400);
  });

  it('shows an event with its payload as the very bytes that were published', async () => {
    const { call } = await start({ getEvent: () => Promise.resolve({ event }) });
    const { text, body } = await call('GET', '/v1/events/e1');
    expect(text).toContain(`"data":${payload}}`);
    expect(body).toMatchObject(shown);
    const answer = await call('GET', '/v1/events/e1/payload');
    expect(answer.text).toBe(payload);
    expect(answer.headers.get('content-type')).toBe('application/json');
  });

  it('does not wait for an event that is unknown and whose id is not a fresh one of ours', async () => {
    let asked = 0;
    const { call } = await start({
      getEvent: () => {
        asked += 1;
        return Promise.reject(new DomainError('not_found', 'There is no such event.'));
      },
    });
    const old = newId(Date.parse('2020-01-01T00:00:00Z'), createSeededRandom(1).bytes);
    for (const id of ['unknown', old]) expect((await call('GET', `/v1/events/${id}`)).status).toBe(404);
    expect(asked).toBe(2);
  });

  it.each(['', '/payload'])(
    'waits up to 2 seconds for a fresh event that is not on record yet (%s)',
    async (part) => {
      const clock = new FakeClock();
      const id = newId(clock.now(), createSeededRandom(1).bytes);
      let asked = 0;
      let isThere = false;
      const { call } = await start(
        {
          getEvent: () => {
            asked += 1;
            return isThere
              ? Promise.resolve({ event })
              : Promise.reject(new DomainError('not_found', 'Unknown.'));
          },
        },
        { clock },
      );
      const found = call('GET', `/v1/events/${id}${part}`);
      await eventually(() => asked === 1);
      await clock.advanceAsync(1000);
      isThere = true;
      await clock.advanceAsync(500);
      expect((await found).status).toBe(200);

      isThere = false;
      asked = 0;
      const missing = call('GET', `/v1/events/${id}${part}`);
      await eventually(() => asked === 1);
      await clock.advanceAsync(2000);
      expect((await missing).status).toBe(404);
      expect(asked).toBeLessThan(20);
    },
  );

  it('replays an event at the endpoints named, or at all', async () => {
    const asked: dispatchV1.ReplayEventRequest[] = [];
    const { call } = await start({
      replayEvent: (request) => {
        asked.push(request);
        return Promise.resolve({ deliveries: [] });
      },
    });
    expect(await call('POST', '/v1/events/e1/replay')).toMatchObject({ status: 202, body: { data: [] } });
    await call('POST', '/v1/events/e1/replay', { body: { endpoints: ['a', 'b'] } });
    expect(asked).toEqual([
      { organisationId: acme.id, id: 'e1', endpoints: [] },
      { organisationId: acme.id, id: 'e1', endpoints: ['a', 'b'] },
    ]);
    for (const body of [{ endpoints: [] }, { endpoints: [1] }, { since: 'x' }]) {
      expect((await call('POST', '/v1/events/e1/replay', { body })).status).toBe(400);
    }
  });

  it('needs events:read to look, and deliveries:write to replay', async () => {
    const { call } = await start({});
    const token = tokens.publisher;
    expect((await call('GET', '/v1/events', { token: tokens.reader })).status).toBe(403);
    expect((await call('GET', '/v1/events/e1', { token })).status).toBe(404);
    expect((await call('POST', '/v1/events/e1/replay', { token })).status).toBe(403);
  });
});
