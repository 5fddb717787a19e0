import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dispatchV1 } from '@posthorn/contracts';
import { createSeededRandom } from '@posthorn/testing';
import {
  clientsOf,
  createWorld,
  endpointId,
  keyOf,
  setState,
  simulatedEndpoint,
  startLife,
  type Life,
  type World,
} from '../simulation/simulated-life.harness.ts';

const [one, two] = [endpointId(1), endpointId(2)];
let world: World;
let life: Life;
let directory: string;

beforeEach(async () => {
  world = createWorld(createSeededRandom(1), [1, 2]);
  directory = mkdtempSync(join(tmpdir(), 'posthorn-test-event-'));
  life = await startLife(world, directory);
});
afterEach(async () => {
  await life.bury();
  rmSync(directory, { recursive: true, force: true });
});

async function sendTest(
  over: Partial<dispatchV1.SendTestRequest> = {},
  caller = keyOf(world.organisationId),
) {
  const { organisationId } = world;
  const request = { organisationId, endpointId: one, type: '', data: new Uint8Array(), ...over };
  const sent = clientsOf(world, life).activity.sendTest(request, caller);
  const settled = sent.catch(() => undefined);
  await world.clock.advanceAsync(1000);
  await settled;
  return (await sent).attempt!;
}

const recordOf = async ({ deliveryId }: { deliveryId: string }) =>
  (await life.deliveries.get(world.organisationId, deliveryId))!;

describe('a test of an endpoint', () => {
  it('is sent to it alone, at once, and is on record like any other', async () => {
    const made = await sendTest();
    await world.clock.advanceAsync(5000);
    expect(world.requests).toMatchObject([{ endpointId: one, eventId: made.eventId }]);
    const { delivery, lastAttempt } = await recordOf(made);
    expect(delivery).toMatchObject({ state: 'succeeded', attempts: 1, eventType: 'posthorn.test' });
    expect(lastAttempt).toMatchObject({ id: made.id, trigger: 'test', outcome: 'success' });
    const event = await life.events.get(world.organisationId, made.eventId);
    expect(JSON.parse(Buffer.from(event!.payload).toString())).toMatchObject({ endpointId: one });
  });

  it('has the type and the very bytes that were given', async () => {
    const data = Buffer.from('{"total": 1.0, "total": 2.50}');
    const made = await sendTest({ type: 'order.paid', data });
    const event = await life.events.get(world.organisationId, made.eventId);
    expect(event).toMatchObject({ type: 'order.paid' });
    expect(Buffer.from(event!.payload)).toEqual(data);
  });

  it.each(['paused', 'disabled'] as const)('goes to an endpoint that is %s', async (state) => {
    setState(world, one, state);
    expect((await sendTest()).outcome).toBe(dispatchV1.AttemptOutcome.ATTEMPT_OUTCOME_SUCCESS);
  });

  it('that fails is answered all the same, and never tried again', async () => {
    world.behaviour = () => 'fail';
    const made = await sendTest({ endpointId: two });
    expect(made).toMatchObject({ status: 500, number: 1 });
    await world.clock.advanceAsync(20_000);
    expect(world.requests).toHaveLength(1);
    expect((await recordOf(made)).delivery).toMatchObject({
      state: 'failed',
      reason: 'test_failed',
      nextAttemptAt: null,
    });
  });

  it('reaches an endpoint that was created a moment ago', async () => {
    await sendTest();
    world.endpoints.set(endpointId(3), simulatedEndpoint(world, 3));
    world.revision += 1n;
    await sendTest({ endpointId: endpointId(3) });
    expect(world.requests.at(-1)?.endpointId).toBe(endpointId(3));
  });

  it('is not sent to what there is not, or what is not yours', async () => {
    await expect(sendTest({ endpointId: endpointId(9) })).rejects.toMatchObject({ code: 'not_found' });
    await expect(sendTest({}, keyOf('another'))).rejects.toMatchObject({ code: 'not_found' });
    expect(world.requests).toEqual([]);
  });
});
