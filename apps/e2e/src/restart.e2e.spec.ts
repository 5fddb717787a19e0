import { readdirSync } from 'node:fs';
import { delay, eventually, failTimes, hang, respond, startReceiver, type Receiver } from '@posthorn/testing';
import { Webhook } from 'standardwebhooks';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import { createTenant, patienceMs, type Tenant } from './tenant.ts';

let platform: PlatformProcess;
let receiver: Receiver;
let tenant: Tenant;

async function prepare(env: Readonly<Record<string, string>> = {}): Promise<void> {
  platform = await preparePlatform({ env });
  await platform.start();
  tenant = await createTenant(platform);
  receiver = await startReceiver();
}
afterEach(async () => {
  await platform.dispose();
  await receiver.close();
});

const event = { type: 'order.paid', data: {} };

function receivedIds(): readonly string[] {
  return receiver.requests.map(({ headers }) => String(headers['webhook-id']));
}

describe('a stop', () => {
  it('in the middle of attempts cuts none off, loses nothing and repeats nothing', async () => {
    await prepare();
    let cut = 0;
    receiver.behave((exchange) => {
      exchange.response.on('close', () => (cut += exchange.response.writableFinished ? 0 : 1));
      delay(1000, respond(204))(exchange);
    });
    await tenant.endpoint({ url: receiver.url });
    const events = Array.from({ length: 40 }, () => event);
    const { data } = await tenant.ok<{ data: { id: string }[] }>('POST', '/v1/events/batch', { events });
    await receiver.waitFor(4, patienceMs);
    const stoppedAt = performance.now();
    expect(await platform.stop()).toBe(0);
    expect(performance.now() - stoppedAt).toBeLessThan(25_000);
    expect(cut).toBe(0);
    expect(receiver.requests.length).toBeLessThan(events.length);
    expect(receiver.openConnectionCount).toBe(0);

    receiver.behave(204);
    await platform.start();
    await receiver.waitFor(events.length, patienceMs);
    await eventually(async () =>
      expect(await tenant.ok('GET', '/v1/deliveries?state=pending&state=retrying')).toMatchObject({
        data: [],
      }),
    );
    expect(receivedIds().toSorted()).toEqual(data.map(({ id }) => id).toSorted());
  });

  it('cuts off what is under way when its time is over, ends well all the same, and makes that attempt again', async () => {
    await prepare({ POSTHORN_STOP_TIMEOUT_MS: '3s' });
    receiver.behave(hang());
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url });
    const { id } = await tenant.publish(event);
    await receiver.waitFor(1, patienceMs);
    expect(await platform.stop()).toBe(0);
    expect(readdirSync(platform.dataDir)).not.toContain('posthorn.db-wal');

    receiver.behave(204);
    await platform.start();
    expect(await tenant.deliveryIn('succeeded', id, endpointId)).toMatchObject({ attempts: 1 });
    expect(receivedIds()).toEqual([id, id]);
  });

  it('under load keeps everything that was answered, and repeats nothing', async () => {
    await prepare();
    await tenant.endpoint({ url: receiver.url });
    let publishing = true;
    const accepted: string[] = [];
    const publish = async (): Promise<void> => {
      while (publishing) {
        const answer = await tenant.call<{ id: string }>('POST', '/v1/events', event).catch(() => undefined);
        if (answer?.status === 202) accepted.push(answer.body.id);
        if (answer === undefined) publishing = false;
      }
    };
    const publishers = Array.from({ length: 8 }, publish);
    await receiver.waitFor(50, patienceMs);
    expect(await platform.stop()).toBe(0);
    await Promise.all(publishers);
    await platform.start();
    await eventually(() => accepted.every((id) => receivedIds().includes(id)), {
      timeoutMs: patienceMs,
      everyMs: 50,
    });
    expect(new Set(receivedIds()).size).toBe(receivedIds().length);
  });

  it('leaves what waits for its time, and what is held, as it was', async () => {
    await prepare();
    receiver.behave(failTimes(1, respond(500)));
    const waiting = await tenant.endpoint({ url: receiver.url, retryDelaysMs: [4000] });
    const { id } = await tenant.publish(event);
    await tenant.deliveryIn('retrying', id, waiting.id);
    const paused = await tenant.endpoint({ url: receiver.url });
    await tenant.ok('POST', `/v1/endpoints/${paused.id}/pause`);
    const later = await tenant.publish(event);
    await tenant.deliveryIn('held', later.id, paused.id);
    expect(await platform.stop()).toBe(0);
    await platform.start();

    expect(await tenant.deliveryIn('succeeded', id, waiting.id)).toMatchObject({ attempts: 2 });
    expect(await tenant.delivery(later.id, paused.id)).toMatchObject({ state: 'held' });
    await tenant.ok('POST', `/v1/endpoints/${paused.id}/resume`);
    await tenant.deliveryIn('succeeded', later.id, paused.id);
    // Sealed by the process before, opened by this one.
    const request = receiver.requests.at(-1);
    const headers = request?.headers as Record<string, string>;
    expect(() => new Webhook(paused.secret).verify(request?.body.toString() ?? '', headers)).not.toThrow();
  });
});

describe('a kill', () => {
  it('has what was under way go out again within 10 seconds of the next start', async () => {
    await prepare();
    receiver.behave(hang());
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url, timeoutMs: 60_000 });
    const ids: string[] = [];
    for (let n = 0; n < 20; n += 1) ids.push((await tenant.publish(event)).id);
    // Some are under way, on record as claimed by a process that is no more; others wait their turn.
    await tenant.delivery(ids[0] ?? '', endpointId);
    await platform.kill();

    receiver.behave(204);
    const count = receiver.requests.length;
    await platform.start();
    const startedAt = performance.now();
    await receiver.waitFor(count + ids.length, patienceMs);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    for (const id of ids) await tenant.deliveryIn('succeeded', id, endpointId);
    expect(receivedIds().slice(count).toSorted()).toEqual(ids.toSorted());
  });
});
