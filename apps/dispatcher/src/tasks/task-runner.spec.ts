import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configV1 } from '@posthorn/contracts';
import { DomainError, servicePrincipal, type Event, type SigningEndpoint } from '@posthorn/models';
import { createInProcessClient, defineService } from '@posthorn/rpc';
import { createMetrics, silentLogger } from '@posthorn/runtime';
import { openSqlite, type SqliteDatabase } from '@posthorn/sqlite';
import { createSeededRandom, FakeClock } from '@posthorn/testing';
import type { DeliveryWithLast } from '../deliveries/delivery-store.ts';
import { createDueClock } from '../due-clock.ts';
import { directoryOf } from '../lanes/lanes.harness.ts';
import { sampleAttempt, sampleDelivery, sampleEvent } from '../deliveries/sample-deliveries.ts';
import { simulatedEndpoint } from '../simulation/simulated-life.harness.ts';
import { createTaskRunner } from './task-runner.ts';
import { createSqliteTaskStore, taskMigrations } from './task-store.sqlite.ts';

/** What several dispatchers make of the same tasks, and what happens when config is away. */

const principal = servicePrincipal('dispatcher');
const base = simulatedEndpoint({ organisationId: 'org' }, 1);
const ricloud: SigningEndpoint = {
  ...base,
  endpoint: { ...base.endpoint, dialect: 'ricloud', verification: 'pending', verificationId: 'round' },
};
const request = { id: 'round', organisationId: 'org', endpointId: ricloud.endpoint.id, keyId: null };
const { signal } = new AbortController();

let directory: string;
let database: SqliteDatabase;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'posthorn-runner-'));
  database = openSqlite({ path: join(directory, 'posthorn.db'), migrations: [taskMigrations] });
});
afterEach(async () => {
  await database.close();
  rmSync(directory, { recursive: true, force: true });
});

function setUp(target = ricloud) {
  const clock = new FakeClock(Date.UTC(2026, 0, 1));
  const tasks = createSqliteTaskStore(database);
  const sent: string[] = [];
  const told: boolean[] = [];
  const noted: string[] = [];
  const stored: { events: Event[]; deliveries: DeliveryWithLast[] } = { events: [], deliveries: [] };
  const config = { isAway: false };
  const unused = (): Promise<never> => Promise.reject(new Error('nobody asks for this here'));
  const endpoints = createInProcessClient(
    defineService(configV1.EndpointServiceService, {
      completeVerification({ passed }) {
        if (config.isAway) return Promise.reject(new DomainError('unavailable', 'away'));
        told.push(passed);
        return Promise.resolve({ endpoint: undefined });
      },
      setEndpointState: unused,
      createEndpoint: unused,
      getEndpoint: unused,
      listEndpoints: unused,
      updateEndpoint: unused,
      deleteEndpoint: unused,
      listSecrets: unused,
      rotateSecret: unused,
      startVerification: unused,
      confirmVerification: unused,
      searchEndpoints: unused,
    }),
    { clock, logger: silentLogger, metrics: createMetrics() },
  );
  const runner = (seed: number) =>
    createTaskRunner({
      tasks,
      events: {
        get: (_organisationId, id) => Promise.resolve(stored.events.find((event) => event.id === id) ?? null),
      },
      deliveries: {
        get: (_organisationId, id) =>
          Promise.resolve(stored.deliveries.find(({ delivery }) => delivery.id === id) ?? null),
        record(records) {
          for (const { delivery } of records) stored.deliveries.push({ delivery, lastAttempt: null });
          return Promise.resolve();
        },
      },
      directory: directoryOf(new Map([[target.endpoint.id, target]])),
      test: {
        send({ eventId = '' }) {
          sent.push(eventId);
          return Promise.resolve(sampleAttempt(sampleDelivery(sampleEvent(1))));
        },
      },
      // The partition belongs to another dispatcher.
      onDemand: { start: () => Promise.reject(new DomainError('unavailable', 'handed over')) },
      recordEvent(event) {
        stored.events.push(event);
        return Promise.resolve();
      },
      noteStored: (_organisationId, endpointId) => void noted.push(endpointId),
      endpoints,
      principal,
      publicUrl: () => 'https://posthorn.example',
      clock,
      dueClock: createDueClock(clock),
      random: createSeededRandom(seed),
      logger: silentLogger,
    });
  return { clock, tasks, sent, told, noted, config, runner };
}

describe('a task', () => {
  it('is begun by one of several dispatchers that are asked at the same time', async () => {
    const { clock, sent, runner, told } = setUp();
    const runs = Promise.all([1, 2, 3].map((seed) => runner(seed).run(request, 5000, signal)));
    await clock.advanceAsync(500);

    const ended = await runs;
    expect(sent).toHaveLength(1);
    expect(told).toEqual([true]);
    for (const { state, eventId } of ended) expect([state, eventId]).toEqual(['succeeded', sent[0]]);
  });

  it('is told to config again when config was away at its end', async () => {
    const { clock, tasks, sent, told, config, runner } = setUp();
    config.isAway = true;
    const run = runner(1).run(request, 1000, signal);
    await clock.advanceAsync(2000);
    expect(await run).toMatchObject({ state: 'succeeded' });
    expect(told).toEqual([]);

    config.isAway = false;
    const ended = await tasks.get('org', 'round');
    if (ended === null) throw new Error('the task is not there');
    await runner(2).settle(ended);
    expect(told).toEqual([true]);
    expect(sent).toHaveLength(1);
  });

  it('of an id that another organisation has is as if it were not there', async () => {
    const { clock, runner } = setUp();
    const run = runner(1).run(request, 0, signal);
    await clock.advanceAsync(100);
    await run;

    await expect(runner(1).run({ ...request, organisationId: 'other' }, 0, signal)).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  it('of an endpoint that is no more is not put on record', async () => {
    const { tasks, runner } = setUp();

    await expect(runner(1).run({ ...request, endpointId: 'gone' }, 0, signal)).rejects.toMatchObject({
      code: 'not_found',
    });
    expect(await tasks.get(null, 'round')).toBeNull();
  });

  it('whose verification waits in a partition of another dispatcher is made known there', async () => {
    const xurrent: SigningEndpoint = {
      ...ricloud,
      endpoint: { ...ricloud.endpoint, dialect: 'xurrent' },
      verificationCallbackPath: '/callbacks/code',
    };
    const { clock, tasks, noted, runner } = setUp(xurrent);
    const run = runner(1).run(request, 100, signal);
    await clock.advanceAsync(200);
    expect(await run).toMatchObject({ kind: 'verification', state: 'processing' });

    for (const task of await tasks.unfinished(10)) await runner(2).settle(task);
    expect(noted).toEqual([xurrent.endpoint.id]);
  });
});
