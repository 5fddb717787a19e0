import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { taskFromMessage, dispatchV1 } from '@posthorn/contracts';
import { deliveryIdOf, type Endpoint, type Task } from '@posthorn/models';
import { createSeededRandom } from '@posthorn/testing';
import { sampleSecret } from '../envelope/occasion.harness.ts';
import {
  changeEndpoint,
  clientsOf,
  createWorld,
  endpointId,
  keyOf,
  newEvent,
  startLife,
  type Life,
  type World,
} from '../simulation/simulated-life.harness.ts';

/** Trying endpoints out: by the service that others call, with config and receivers simulated. */

const one = endpointId(1);
const firstRound = '01900000-0000-4000-8000-0000000000f1';
let world: World;
let life: Life;
let root: string;

async function begin(endpoint: Partial<Endpoint>): Promise<void> {
  world = createWorld(createSeededRandom(1), [1]);
  root = mkdtempSync(join(tmpdir(), 'posthorn-tasks-'));
  const known = world.endpoints.get(one)!;
  world.endpoints.set(one, {
    ...known,
    secrets: [sampleSecret],
    verificationCallbackPath: '/callbacks/code',
  });
  changeEndpoint(world, one, { verification: 'pending', verificationId: firstRound, ...endpoint });
  const first = join(root, 'first');
  mkdirSync(first);
  life = await startLife(world, first);
}
afterEach(async () => {
  await life.bury();
  rmSync(root, { recursive: true, force: true });
});

const client = () => clientsOf(world, life).tasks;

/** Asks for a task and lets time pass until the answer is there. */
async function run(over: Partial<dispatchV1.RunTaskRequest> = {}, forMs = 2000): Promise<Task> {
  const asked = client().runTask(
    {
      organisationId: world.organisationId,
      endpointId: one,
      taskId: firstRound,
      kind: dispatchV1.TaskKind.TASK_KIND_TEST,
      waitMs: 1000,
      ...over,
    },
    keyOf(world.organisationId),
  );
  const settled = asked.catch(() => undefined);
  await world.clock.advanceAsync(forMs);
  await settled;
  return taskFromMessage((await asked).task!);
}

async function task(id = firstRound): Promise<Task> {
  const { organisationId } = world;
  const answer = await client().getTask({ organisationId, id }, keyOf(organisationId));
  return taskFromMessage(answer.task!);
}

const verification = () => world.endpoints.get(one)?.endpoint.verification;

async function deliveryOf({ eventId }: Pick<Task, 'eventId'>) {
  const { organisationId } = world;
  const event = await life.events.get(organisationId, eventId ?? '');
  if (event === null) throw new Error('the event is not on record');
  const id = deliveryIdOf({ ...event, eventId: event.id, endpointId: one });
  return { event, found: await life.deliveries.get(organisationId, id) };
}

describe('the test of a ricloud endpoint', () => {
  const ricloud: Partial<Endpoint> = { dialect: 'ricloud', format: 'ricloud', signing: [] };

  it('that its receiver takes makes the endpoint valid, and is on record like any other delivery', async () => {
    await begin(ricloud);
    const ended = await run({ keyId: 'key' });

    expect(ended).toMatchObject({ state: 'succeeded', kind: 'test', keyId: 'key', error: null });
    expect(ended.completedAt?.getTime()).toBeGreaterThan(ended.startedAt?.getTime() ?? Infinity);
    expect(verification()).toBe('passed');
    expect(world.requests).toMatchObject([{ endpointId: one, eventId: ended.eventId, succeeded: true }]);
    const { event, found } = await deliveryOf(ended);
    expect(event.type).toBe('webhook_config.test');
    expect(found).toMatchObject({ delivery: { state: 'succeeded' }, lastAttempt: { trigger: 'test' } });
  });

  it('that its receiver refuses is not tried again, and leaves the endpoint invalid', async () => {
    await begin(ricloud);
    world.behaviour = () => 'fail';
    const ended = await run();
    await world.clock.advanceAsync(60_000);

    expect(ended).toMatchObject({ state: 'failed', error: 'The receiver answered 500.' });
    expect(verification()).toBe('failed');
    expect(world.requests).toHaveLength(1);
  });

  it('is not sent to one that is deactivated', async () => {
    await begin({ ...ricloud, state: 'disabled' });

    expect(await run()).toMatchObject({ state: 'failed', error: 'The endpoint is disabled.' });
    expect(world.requests).toEqual([]);
  });

  it('is run by itself when nobody asks for it', async () => {
    await begin(ricloud);
    await world.clock.advanceAsync(5000);

    expect(await task()).toMatchObject({ state: 'succeeded', keyId: null });
    expect(world.requests).toHaveLength(1);
  });

  it('is run once, however often it is asked for', async () => {
    await begin(ricloud);
    const answers = await Promise.all([run(), run(), run()]);
    await world.clock.advanceAsync(60_000);

    expect(new Set(answers.map(({ eventId }) => eventId)).size).toBe(1);
    expect(await run()).toEqual(answers[0]);
    expect(world.requests).toHaveLength(1);
  });

  it('is waited for as long as the caller says', async () => {
    await begin(ricloud);
    world.behaviour = () => 'hang';

    expect(await run({ waitMs: 1000 }, 1100)).toMatchObject({ state: 'processing', completedAt: null });
    await world.clock.advanceAsync(10_000);
    expect(await task()).toMatchObject({ state: 'failed', error: 'The receiver did not answer in time.' });
  });

  it('is a new task for every round', async () => {
    await begin(ricloud);
    world.behaviour = () => 'fail';
    await run();
    const secondRound = '01900000-0000-4000-8000-0000000000f2';
    changeEndpoint(world, one, { verification: 'pending', verificationId: secondRound });
    world.behaviour = () => 'succeed';
    await run({ taskId: secondRound });

    expect(verification()).toBe('passed');
    const { tasks, total } = await client().listTasks(
      {
        organisationIds: [world.organisationId],
        endpointIds: [],
        kind: dispatchV1.TaskKind.TASK_KIND_UNSPECIFIED,
        offset: 0,
        limit: 10,
        afterId: '',
        beforeId: '',
      },
      keyOf(world.organisationId),
    );
    expect(tasks.map(({ id }) => id)).toEqual([secondRound, firstRound]);
    expect(total).toBe(2n);
  });

  it('that was under way in a process that died is not sent again: it has failed', async () => {
    await begin(ricloud);
    world.behaviour = () => 'hang';
    await run({ waitMs: 0 }, 100);
    const crashed = life.crash(join(root, 'second'));
    await life.bury();
    world.behaviour = () => 'succeed';
    life = await startLife(world, crashed);
    await world.clock.advanceAsync(60_000);
    expect(await task()).toMatchObject({ state: 'processing' });
    await world.clock.advanceAsync(120_000);

    expect(await task()).toMatchObject({ state: 'failed', error: 'The test was interrupted.' });
    expect(verification()).toBe('failed');
    expect(world.requests).toHaveLength(1);
  });

  it('lets what comes meanwhile wait, and go when it has passed', async () => {
    await begin(ricloud);
    world.behaviour = () => 'hang';
    await run({ waitMs: 0 }, 10);
    const event = newEvent(world);
    await life.log.append(event);
    await world.clock.advanceAsync(1000);
    expect(world.requests).toHaveLength(1);

    changeEndpoint(world, one, { verification: 'passed' });
    world.behaviour = () => 'succeed';
    await world.clock.advanceAsync(5000);
    expect(world.requests.map(({ eventId }) => eventId)).toContain(event.id);
  });
});

describe('the verification of a xurrent endpoint', () => {
  const xurrent: Partial<Endpoint> = {
    dialect: 'xurrent',
    format: 'xurrent',
    signing: [],
    retryDelaysMs: [10_000, 10_000],
  };

  it('sends the callback, again when it fails, while everything else waits for the receiver to call it', async () => {
    await begin(xurrent);
    world.behaviour = () => 'fail';
    await life.log.append(newEvent(world));
    await life.log.append(newEvent(world));
    const begun = await run({ waitMs: 0 });
    expect(begun).toMatchObject({ kind: 'verification', state: 'processing' });
    const { event } = await deliveryOf(begun);
    expect(event.type).toBe('webhook.verify');
    expect(Buffer.from(event.payload).toString()).toBe('{"callback":"http://posthorn.test/callbacks/code"}');
    expect(world.requests).toHaveLength(1);

    world.behaviour = () => 'succeed';
    await world.clock.advanceAsync(20_000);
    expect(world.requests).toHaveLength(2);
    expect((await deliveryOf(begun)).found?.delivery).toMatchObject({ state: 'succeeded', attempts: 2 });
    expect(await task()).toMatchObject({ state: 'succeeded' });
    expect(verification()).toBe('pending');
    await world.clock.advanceAsync(60_000);
    expect(world.requests).toHaveLength(2);

    changeEndpoint(world, one, { verification: 'passed' });
    await world.clock.advanceAsync(5000);
    expect(world.requests).toHaveLength(4);
    expect(world.requests.every((request) => request.endpointId === one)).toBe(true);
  });

  it('has failed when it was given up, and can be asked for again', async () => {
    await begin(xurrent);
    world.behaviour = () => 'fail';
    await run({ waitMs: 0 });
    await world.clock.advanceAsync(60_000);

    expect(await task()).toMatchObject({ state: 'failed', error: 'The receiver answered 500.' });
    expect(world.requests).toHaveLength(3);
    const secondRound = '01900000-0000-4000-8000-0000000000f2';
    changeEndpoint(world, one, { verificationId: secondRound });
    world.behaviour = () => 'succeed';
    await world.clock.advanceAsync(10_000);
    expect(await task(secondRound)).toMatchObject({ state: 'succeeded' });
  });

  it('goes on after a crash, past what waits', async () => {
    await begin(xurrent);
    world.behaviour = () => 'fail';
    for (let n = 0; n < 10; n += 1) await life.log.append(newEvent(world));
    await run({ waitMs: 0 });
    const crashed = life.crash(join(root, 'second'));
    await life.bury();
    world.behaviour = () => 'succeed';
    life = await startLife(world, crashed);
    await world.clock.advanceAsync(120_000);

    expect(await task()).toMatchObject({ state: 'succeeded' });
    expect(world.requests).toHaveLength(2);
  });
});

describe('another organisation', () => {
  it('knows no task of ours, and no endpoint, and cannot ask for all', async () => {
    await begin({ dialect: 'ricloud', format: 'ricloud', signing: [] });
    await run();
    const other = keyOf('01900000-0000-4000-8000-00000000bbbb');
    const { organisationId } = world;
    const list = (organisationIds: string[]) =>
      client().listTasks(dispatchV1.ListTasksRequest.fromPartial({ organisationIds, limit: 10 }), other);

    for (const asked of [
      client().getTask({ organisationId: other.principal.organisationId ?? '', id: firstRound }, other),
      client().getTask({ organisationId, id: firstRound }, other),
      list([organisationId]),
      client().runTask(
        {
          organisationId: other.principal.organisationId ?? '',
          endpointId: one,
          taskId: firstRound,
          kind: dispatchV1.TaskKind.TASK_KIND_TEST,
          waitMs: 0,
        },
        other,
      ),
    ]) {
      await expect(asked).rejects.toMatchObject({ code: 'not_found' });
    }
    await expect(list([])).rejects.toMatchObject({
      code: 'permission_denied',
    });
    await expect(client().getTask({ organisationId: '', id: firstRound }, other)).rejects.toMatchObject({
      code: 'permission_denied',
    });
  });
});
