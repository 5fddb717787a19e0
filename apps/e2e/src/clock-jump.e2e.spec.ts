import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, failTimes, respond, startReceiver, type Receiver } from '@posthorn/testing';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import { createTenant, patienceMs, type Tenant } from './tenant.ts';

const hourMs = 3_600_000;
const event = { type: 'order.paid', data: {} };

let directory: string;
let platform: PlatformProcess;
let receiver: Receiver;
let tenant: Tenant;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'posthorn-clock-'));
  const env = {
    NODE_OPTIONS: `--import=${join(import.meta.dirname, 'jumping-clock.ts')}`,
    E2E_CLOCK_OFFSET_FILE: join(directory, 'offset'),
  };
  platform = await preparePlatform({ env });
  await platform.start();
  tenant = await createTenant(platform);
  receiver = await startReceiver();
});
afterEach(async () => {
  await platform.dispose();
  await receiver.close();
  rmSync(directory, { recursive: true });
});

/** Sets the platform's wall clock off by that much, and waits until it shows. */
async function jumpTo(offsetMs: number): Promise<void> {
  writeFileSync(join(directory, 'offset'), String(offsetMs));
  process.kill(platform.pid ?? 0, 'SIGUSR2');
  await eventually(
    async () => {
      const { acceptedAt } = await tenant.ok<{ acceptedAt: string }>('POST', '/v1/events', event);
      return Math.abs(Date.parse(acceptedAt) - Date.now() - offsetMs) < hourMs / 2;
    },
    { timeoutMs: patienceMs, message: 'The clock having jumped' },
  );
}

describe('a wall clock that jumps', () => {
  it('back by an hour delays no retry and no event; times and signatures are the new ones', async () => {
    receiver.behave(failTimes(1, respond(500)));
    const { id: endpointId } = await tenant.endpoint({
      url: receiver.url,
      eventTypes: ['order.shipped'],
      retryDelaysMs: [6000],
    });
    const shipped = { type: 'order.shipped', data: {} };
    const { id } = await tenant.publish(shipped);
    await tenant.deliveryIn('retrying', id, endpointId);
    await jumpTo(-hourMs);
    const { nextAttemptAt } = await tenant.delivery(id, endpointId);
    expect(Date.parse(nextAttemptAt ?? '') - (Date.now() - hourMs)).toBeLessThan(60_000);
    expect(await tenant.deliveryIn('succeeded', id, endpointId)).toMatchObject({ attempts: 2 });

    receiver.behave(failTimes(1, respond(500)));
    const after = await tenant.publish(shipped);
    const { attempts, finishedAt } = await tenant.deliveryIn('succeeded', after.id, endpointId);
    expect(attempts).toBe(2);
    const shown = Math.floor((Date.now() - hourMs) / 1000);
    const signedAt = Number(receiver.requests.at(-1)?.headers['webhook-timestamp']);
    expect(Math.abs(signedAt - shown)).toBeLessThan(120);
    expect(Math.abs(Date.parse(finishedAt ?? '') / 1000 - shown)).toBeLessThan(120);
  });

  it('forth by an hour makes due what was due within it', async () => {
    receiver.behave(failTimes(1, respond(500)));
    const { id: endpointId } = await tenant.endpoint({
      url: receiver.url,
      eventTypes: ['order.shipped'],
      retryDelaysMs: [hourMs / 2],
    });
    const { id } = await tenant.publish({ type: 'order.shipped', data: {} });
    await tenant.deliveryIn('retrying', id, endpointId);
    await jumpTo(hourMs);
    expect(await tenant.deliveryIn('succeeded', id, endpointId)).toMatchObject({ attempts: 2 });
  });

  it('forth and back under load loses nothing and repeats nothing', async () => {
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url });
    const accepted: string[] = [];
    let publishing = true;
    const publish = async (): Promise<void> => {
      while (publishing) accepted.push((await tenant.publish({ type: 'order.shipped', data: 1 })).id);
    };
    const publishers = [publish(), publish()];
    for (const offsetMs of [hourMs, 0, -hourMs, hourMs, 0]) {
      const count = receiver.requests.length;
      await jumpTo(offsetMs);
      await receiver.waitFor(count + 20, patienceMs);
    }
    publishing = false;
    await Promise.all(publishers);
    const ids = () => receiver.requests.map(({ headers }) => String(headers['webhook-id']));
    await eventually(() => accepted.every((id) => ids().includes(id)), {
      timeoutMs: patienceMs,
      everyMs: 100,
    });
    expect(new Set(ids()).size).toBe(ids().length);
    const waiting = `/v1/deliveries?endpointId=${endpointId}&state=pending&state=retrying`;
    await eventually(async () => expect(await tenant.ok('GET', waiting)).toMatchObject({ data: [] }), {
      timeoutMs: patienceMs,
    });
  });
});
