import { eventually, respond, startReceiver, type Receiver } from '@posthorn/testing';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import { createTenant, patienceMs, type EndpointAnswer, type Tenant } from './tenant.ts';

/** Replays on the platform as a process: what endpoints missed is sent, at a rate, through kills, and not beyond a cancel. */

interface ReplayAnswer {
  readonly id: string;
  readonly state: string;
  readonly trigger: string;
  readonly progress: {
    readonly total: number | null;
    readonly done: number;
    readonly skipped: number;
    readonly remaining: number | null;
  };
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

let platform: PlatformProcess;
let receiver: Receiver;
let tenant: Tenant;

beforeAll(async () => {
  platform = await preparePlatform();
  await platform.start();
});
afterAll(() => platform.dispose());
beforeEach(async () => {
  receiver = await startReceiver();
  tenant = await createTenant(platform);
});
afterEach(() => receiver.close());

/** Publishes so many events at once; answers their ids in order. */
async function publish(count: number, type = 'order.paid'): Promise<readonly string[]> {
  const events = Array.from({ length: count }, (_, n) => ({ type, data: { n } }));
  const { data } = await tenant.ok<{ data: readonly { id: string }[] }>('POST', '/v1/events/batch', {
    events,
  });
  return data.map(({ id }) => id);
}

/** An endpoint that was disabled while so many events were published, and is enabled again. */
async function missedBy(count: number): Promise<{ endpoint: EndpointAnswer; ids: readonly string[] }> {
  const endpoint = await tenant.endpoint({ url: receiver.url });
  await tenant.ok('POST', `/v1/endpoints/${endpoint.id}/disable`);
  const ids = await publish(count);
  await eventually(async () => expect((await dryRun({ endpoint: endpoint.id })).progress.total).toBe(count), {
    timeoutMs: patienceMs,
    everyMs: 100,
  });
  await tenant.ok('POST', `/v1/endpoints/${endpoint.id}/enable`);
  return { endpoint, ids };
}

const create = (body: object): Promise<ReplayAnswer> => tenant.ok('POST', '/v1/replays', body);
const dryRun = (body: object): Promise<ReplayAnswer> => create({ ...body, dryRun: true });
const read = ({ id }: ReplayAnswer): Promise<ReplayAnswer> => tenant.ok('GET', `/v1/replays/${id}`);

async function ended(replay: ReplayAnswer): Promise<ReplayAnswer> {
  let seen = replay;
  await eventually(
    async () => {
      seen = await read(replay);
      expect(seen.finishedAt).not.toBeNull();
    },
    { timeoutMs: patienceMs, everyMs: 100 },
  );
  return seen;
}

const received = (): readonly string[] =>
  receiver.requests.map(({ headers }) => String(headers['webhook-id']));

async function receives(ids: readonly string[]): Promise<void> {
  await eventually(() => expect(new Set(received())).toEqual(new Set(ids)), { timeoutMs: patienceMs });
}

describe('a replay', () => {
  it('of what an endpoint missed goes on after the process was killed in the middle of it', async () => {
    const { endpoint, ids } = await missedBy(400);
    const counted = await dryRun({ endpoint: endpoint.id });
    expect(counted.progress).toMatchObject({ total: 400, done: 0, remaining: 400 });
    const replay = await create({ endpoint: endpoint.id, perSecond: 80 });
    await eventually(async () => expect((await read(replay)).progress.done).toBeGreaterThanOrEqual(40), {
      timeoutMs: patienceMs,
    });
    await platform.kill();
    expect(new Set(received()).size).toBeLessThan(400);
    await platform.start();

    const { state, progress } = await ended(replay);
    expect(state).toBe('succeeded');
    expect(progress).toMatchObject({ total: 400, remaining: 0, skipped: 0 });
    // Of the one page that was under way, what was delivered before it was done again isn't counted.
    expect(progress.done).toBeLessThanOrEqual(400);
    expect(progress.done).toBeGreaterThanOrEqual(400 - 20);
    await receives(ids);
  });

  it('keeps to its rate, and sets nothing going once it is cancelled', async () => {
    const { endpoint } = await missedBy(200);
    const since = performance.now();
    const replay = await create({ endpoint: endpoint.id, perSecond: 20 });
    await eventually(async () => expect((await read(replay)).progress.done).toBeGreaterThanOrEqual(40), {
      timeoutMs: patienceMs,
    });
    const cancelled = await tenant.ok<ReplayAnswer>('POST', `/v1/replays/${replay.id}/cancel`);
    // It may begin with a page, of a quarter of a second.
    expect(cancelled.progress.done).toBeLessThanOrEqual(((performance.now() - since) / 1000) * 20 + 5);
    expect(cancelled.state).toBe('cancelled');
    await eventually(
      async () => {
        const { done } = (await read(replay)).progress;
        expect(new Set(received()).size).toBe(done);
      },
      { timeoutMs: patienceMs },
    );
    const { done } = (await read(replay)).progress;
    const again = await tenant.call('POST', `/v1/replays/${replay.id}/cancel`);
    expect(again.status).toBe(409);
    // Another one sends the rest.
    const rest = await ended(await create({ endpoint: endpoint.id }));
    expect(rest.progress.total).toBe(200 - done);
    await eventually(() => expect(new Set(received()).size).toBe(200), { timeoutMs: patienceMs });
  });

  it('gives an endpoint what is older than it', async () => {
    const ids = await publish(50);
    await publish(20, 'invoice.paid');
    const endpoint = await tenant.endpoint({ url: receiver.url, eventTypes: ['order.*'] });
    const request = { endpoint: endpoint.id, includeUnmatched: true };
    await eventually(async () => expect((await dryRun(request)).progress.remaining).toBe(50), {
      timeoutMs: patienceMs,
      everyMs: 100,
    });
    const { state, progress } = await ended(await create(request));
    expect({ state, progress }).toMatchObject({ state: 'succeeded', progress: { total: 50, done: 50 } });
    await receives(ids);
    expect(received()).toHaveLength(50);
  });

  it('is one job however often it is asked for with the same Idempotency-Key', async () => {
    const { endpoint } = await missedBy(5);
    const once = () =>
      tenant.call<ReplayAnswer>(
        'POST',
        '/v1/replays',
        { endpoint: endpoint.id },
        { 'Idempotency-Key': 'again' },
      );
    const [first, second] = [await once(), await once()];
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(second.body.id).toBe(first.body.id);
    await ended(first.body);
    const { data } = await tenant.ok<{ data: readonly ReplayAnswer[] }>('GET', '/v1/replays?state=succeeded');
    expect(data.filter(({ id }) => id === first.body.id)).toHaveLength(1);
  });
});

describe('a retry of many deliveries', () => {
  it('is of those that the list shows with the same filters', async () => {
    receiver.behave(respond(503));
    const endpoint = await tenant.endpoint({ url: receiver.url, retryDelaysMs: [] });
    const healthy = await startReceiver();
    await tenant.endpoint({ url: healthy.url });
    const ids = await publish(3);
    for (const id of ids) await tenant.deliveryIn('exhausted', id, endpoint.id);
    receiver.behave(respond(200));
    const filters = { endpointId: endpoint.id, state: 'exhausted', statusClass: '5xx' };
    const replay = await tenant.ok<ReplayAnswer>('POST', '/v1/deliveries/retry', filters);
    const { trigger, progress } = await ended(replay);
    expect(trigger).toBe('manual');
    expect(progress).toMatchObject({ total: 3, done: 3 });
    for (const id of ids) {
      const { id: deliveryId } = await tenant.deliveryIn('succeeded', id, endpoint.id);
      const attempts = await tenant.attempts(deliveryId);
      expect(attempts.map((attempt) => attempt.trigger)).toEqual(['schedule', 'manual']);
    }
    await healthy.close();
  });
});
