/**
 * `posthorn demo`: the main job in under a minute. Starts the whole platform in this process on a SQLite file in a temporary
 * directory, works with it through its REST API over HTTP as any client would, and leaves nothing behind.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '@posthorn/models';
import { createLogger, createMetrics, sleep, type Clock } from '@posthorn/runtime';
import { standardMaxPayloadBytes } from '@posthorn/event-ingest';
import { createApiClient, type ApiClient } from '../client/api-client.ts';
import { CliError, exitCodes, type ExitCode } from '../exit-codes.ts';
import type { Io } from '../terminal/io.ts';
import { eventOfPayload } from '../publishing/new-event.ts';
import { createOutput, type Output } from '../terminal/output.ts';
import { startPlatform, type Platform } from '../platform.ts';
import { createProgress, type Progress } from '../terminal/progress.ts';
import { publishStream } from '../publishing/publish-stream.ts';
import type { DeliveryResource, EndpointResource, KeyResource } from '../client/resources.ts';
import { version } from '../version.ts';
import { startDemoReceiver, type DemoReceiver } from './demo-receiver.ts';
import { reportColumns, reportOf, type ReportRow } from './report.ts';
import { demoEndpoints, demoEvents, type DemoEvent } from './story.ts';

export interface DemoOptions {
  readonly events: number;
  readonly json: boolean;
}

/** How long deliveries are waited for, after everything was published. */
const patienceMs = 40_000;

/** Resolves with 0 if everything was delivered and verified, 1 if not, 130 after Ctrl-C. */
export async function demo(options: DemoOptions, io: Io): Promise<ExitCode> {
  const { clock, signal } = io;
  const output = createOutput(io, { json: options.json });
  const startedAt = clock.monotonic();
  const dataDir = await mkdtemp(join(tmpdir(), 'posthorn-demo-'));
  const progress = createProgress({ stderr: io.stderr, clock, logIntervalMs: 1_000 });
  const releases: (() => Promise<unknown>)[] = [() => rm(dataDir, { recursive: true, force: true })];
  try {
    const platform = await startDemoPlatform(dataDir);
    releases.push(() => platform.stop(10_000));
    await output.text(`platform  ${platform.address}, on ${join(dataDir, 'posthorn.db')}`);

    const receiver = await startDemoReceiver(clock);
    releases.push(() => receiver.close());
    await output.text(`receiver  ${receiver.url}, verifying signatures with standardwebhooks`);

    const api = await setUp(platform, clock);
    releases.push(() => api.close());
    const endpoints = await createEndpoints(api, receiver);
    await output.text(
      `setup     an organisation, a key and ${endpoints.size} endpoints; one will fail at first\n`,
    );

    const events = demoEvents(options.events);
    const published = await publish(api, events, progress, io);
    await settle(api, progress, events, receiver, io);
    progress.end();
    if (signal.aborted) return exitCodes.interrupted;

    const rows = await reportOf(api, { events, endpoints, receiver });
    return await conclude(output, rows, published, clock.monotonic() - startedAt);
  } finally {
    progress.end();
    for (const release of releases.reverse()) await release();
  }
}

function startDemoPlatform(dataDir: string): Promise<Platform> {
  return startPlatform({
    host: '127.0.0.1',
    port: 0,
    dataDir,
    operatorKey: null,
    encryptionKeys: [randomBytes(32)],
    allowTargets: ['127.0.0.0/8'],
    publicUrl: null,
    requireHttps: false,
    dnsServers: [],
    maxEventBytes: standardMaxPayloadBytes,
    version,
    logger: createLogger({ service: 'posthorn', level: 'error', destination: 'stderr' }),
    metrics: createMetrics(),
  });
}

/** As an operator: an organisation and a key for it. Resolves with a client that uses that key. */
async function setUp({ address, newOperatorKey }: Platform, clock: Clock): Promise<ApiClient> {
  const operator = createApiClient({ url: address, key: newOperatorKey, organisation: null, clock });
  try {
    await operator.send('POST', '/v1/organisations', { body: { slug: 'demo', name: 'Demo' } });
    const key = await operator.send<KeyResource>('POST', '/v1/keys', {
      body: { name: 'demo', organisation: 'demo', scopes: ['*'] },
    });
    return createApiClient({ url: address, key: key.token ?? null, organisation: null, clock });
  } finally {
    await operator.close();
  }
}

/** Makes the endpoints; their ids by uid. */
async function createEndpoints(api: ApiClient, receiver: DemoReceiver): Promise<ReadonlyMap<string, string>> {
  const ids = new Map<string, string>();
  for (const { uid, settings, failsForMs } of demoEndpoints) {
    const path = `/${uid}`;
    const { id, secret } = await api.send<EndpointResource>('POST', '/v1/endpoints', {
      body: { ...settings, uid, name: uid, url: `${receiver.url}${path}` },
    });
    if (secret === undefined) throw new CliError(exitCodes.failure, 'The API showed no signing secret.');
    receiver.open(path, { secret, failsForMs });
    ids.set(uid, id);
  }
  return ids;
}

/** Publishes in small batches; resolves with how many were accepted. */
async function publish(
  api: ApiClient,
  events: readonly DemoEvent[],
  progress: Progress,
  io: Io,
): Promise<number> {
  let accepted = 0;
  const numbered = events.map(({ data, ...fields }, index) => ({
    ...eventOfPayload(JSON.stringify(data), fields, () => newId(io.clock.now(), io.random.bytes)),
    line: index + 1,
    input: '',
  }));
  await publishStream(numbered, {
    api,
    clock: io.clock,
    random: io.random,
    signal: io.signal,
    maxBatchItems: 10,
    maxBatchBytes: 1024 * 1024,
    concurrency: 2,
    giveUpAfterMs: 10_000,
    onOutcome(outcome) {
      if (outcome.kind === 'accepted') accepted += 1;
      progress.update(() => `published ${accepted} of ${events.length}`);
    },
  });
  return accepted;
}

/** Waits until no delivery is left to be made, as the API tells. */
async function settle(
  api: ApiClient,
  progress: Progress,
  events: readonly DemoEvent[],
  receiver: DemoReceiver,
  io: Io,
): Promise<void> {
  const expected = demoEndpoints.reduce((sum, { matches }) => sum + events.filter(matches).length, 0);
  const { clock } = io;
  const endsAt = clock.monotonic() + patienceMs;
  while (!io.signal.aborted && clock.monotonic() < endsAt) {
    const inboxes = demoEndpoints.map(({ uid }) => receiver.received(`/${uid}`));
    const delivered = inboxes.reduce((sum, { verified }) => sum + verified.size, 0);
    const turnedAway = inboxes.reduce((sum, inbox) => sum + inbox.turnedAway, 0);
    progress.update(
      () => `delivered and verified ${delivered} of ${expected}; ${turnedAway} times turned away`,
    );
    if (delivered >= expected && !(await isAnyUnfinished(api))) return;
    await sleep(clock, 100, io.signal);
  }
}

async function isAnyUnfinished(api: ApiClient): Promise<boolean> {
  const unfinished = api.list<DeliveryResource>('/v1/deliveries', {
    limit: 1,
    query: { state: ['pending', 'retrying'] },
  });
  for await (const _delivery of unfinished) return true;
  return false;
}

async function conclude(
  output: Output,
  rows: readonly ReportRow[],
  published: number,
  durationMs: number,
): Promise<ExitCode> {
  const isComplete = rows.every(({ complete }) => complete);
  await output.item(
    { published, durationMs: Math.round(durationMs), complete: isComplete, endpoints: rows },
    () => [
      ...output.table(rows, reportColumns(output.style)),
      '',
      `${published} events published, ${sum(rows, 'delivered')} deliveries made and ${sum(rows, 'verified')} verified in ${(durationMs / 1_000).toFixed(1)} s`,
      isComplete
        ? output.style(
            'green',
            'Everything that was published was delivered, and every signature was verified.',
          )
        : output.style('red', 'Not everything was delivered and verified.'),
    ],
  );
  return isComplete ? exitCodes.ok : exitCodes.failure;
}

function sum(rows: readonly ReportRow[], name: 'delivered' | 'verified'): number {
  return rows.reduce((total, row) => total + row[name], 0);
}
