import { startReceiver, type Receiver } from '@posthorn/testing';
import { expectProblem } from './expect-problem.harness.ts';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import { createTenant, patienceMs, type Tenant } from './tenant.ts';

let platform: PlatformProcess;
let receiver: Receiver;
let tenant: Tenant;

beforeAll(async () => {
  platform = await preparePlatform();
  await platform.start();
  receiver = await startReceiver();
  tenant = await createTenant(platform);
});
afterAll(async () => {
  await platform.dispose();
  await receiver.close();
});

const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();

describe('an event that is to be delivered later', () => {
  it('waits on record until its time, over a kill, and goes out not before it; what is cancelled never does', async () => {
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url });
    const deliverAt = inMs(12_000);
    const event = { type: 'invoice.due', data: { invoice: 7 }, deliverAt };
    const { id } = await tenant.publish(event);
    const cancelled = await tenant.publish({ ...event, deliverAt: inMs(11_000) });

    expect(await tenant.ok('GET', `/v1/events/${id}`)).toMatchObject({ deliverAt });
    const waiting = await tenant.delivery(id, endpointId);
    expect(waiting).toMatchObject({ state: 'pending', attempts: 0 });
    // On record is its time by the due clock, which may differ by a moment.
    expect(Math.abs(Date.parse(waiting.nextAttemptAt ?? '') - Date.parse(deliverAt))).toBeLessThan(1000);
    const other = await tenant.delivery(cancelled.id, endpointId);
    await tenant.ok('POST', `/v1/deliveries/${other.id}/cancel`);

    await platform.kill();
    await platform.start();
    await receiver.waitFor(1, patienceMs);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(deliverAt));
    expect(await tenant.deliveryIn('succeeded', id, endpointId)).toMatchObject({ attempts: 1 });
    expect(receiver.requests.map(({ headers }) => headers['webhook-id'])).toEqual([id]);
    expect(await tenant.deliveryIn('cancelled', cancelled.id, endpointId)).toMatchObject({ attempts: 0 });
  });

  it('goes out at once when its time is past', async () => {
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url, eventTypes: ['past.due'] });
    const { id } = await tenant.publish({ type: 'past.due', data: {}, deliverAt: inMs(-60_000) });
    expect(await tenant.deliveryIn('succeeded', id, endpointId)).toMatchObject({ attempts: 1 });
  });

  it('is refused when its payload would be gone by then, or when it has a place in an order', async () => {
    const late = { type: 'a', data: 1, deliverAt: inMs(31 * 86_400_000) };
    const refused = [400, 'invalid_argument'] as const;
    expectProblem(await tenant.call('POST', '/v1/events', late), refused, ['/deliverAt']);
    const ordered = { type: 'a', data: 1, deliverAt: inMs(1000), orderingKey: 'k' };
    expectProblem(await tenant.call('POST', '/v1/events', ordered), refused, ['/deliverAt']);
  });
});
