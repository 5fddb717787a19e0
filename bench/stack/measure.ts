/** One scenario on a platform that runs: a warm-up, its events, and the wait until every delivery has arrived and is on record. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { join as joinArrivals } from '../arrivals.ts';
import type { Outcome } from '../arrivals.ts';
import { createPublish, readRows } from '../load-tools.ts';
import type { LoadTools } from '../load-tools.ts';
import { arrivals, eventsOf } from '../measure.ts';
import type { Scenario } from '../scenarios.ts';
import { provision } from '../servers.ts';
import type { services } from './measured-platform.ts';
import type { ByService, MeasuredPlatform, Stored } from './measured-platform.ts';

/** What a collection grew by. */
export interface Growth {
  readonly collection: string;
  readonly documentsPerDelivery: number;
  /** Of the documents that were added, as BSON. */
  readonly bytesPerDocument: number;
  readonly indexBytesPerDocument: number;
}

export interface StackMeasurement extends Outcome {
  readonly refused: number;
  /** The first refusal. */
  readonly refusal: string;
  /** CPU seconds for 10,000 deliveries, user and system. */
  readonly cpu: ByService & { readonly publisher: number; readonly receiver: number };
  readonly maxRssMib: ByService;
  readonly kafkaBytesPerEvent: number | null;
  readonly growth: readonly Growth[] | null;
  /** Operations on MongoDB for 1,000 deliveries, by service, collection and operation. */
  readonly operations: Readonly<Record<string, number>>;
}

export interface StackMeasureOptions {
  readonly platform: MeasuredPlatform;
  readonly scenario: Scenario;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly tools: LoadTools;
  /** For the tools' notes. */
  readonly directory: string;
}

const settleMs = 250;
/** How long the last records may take. */
const recordLimitMs = 60_000;

export async function measureOnStack(options: StackMeasureOptions): Promise<StackMeasurement> {
  const { platform, scenario, tools, directory } = options;
  const { organisations, fanout, name } = scenario;
  const keys = await provision({
    url: platform.url,
    operatorKey: platform.operatorKey,
    scenario,
    ports: tools.ports.slice(0, organisations * fanout),
    prefix: name,
  });
  const out = join(directory, 'published');
  const publish = createPublish(tools, scenario, { port: Number(new URL(platform.url).port), keys, out });

  await tools.receiver.ask('clear');
  const first = eventsOf(scenario, options.warmUpSeconds);
  const warmUp = await publish(0, first);
  if (warmUp.refused > 0)
    throw new Error(`${warmUp.refused} events of the warm-up refused: ${warmUp.example}`);
  const arrived = await arrivals(tools, first * fanout);
  const storedBefore = await untilRecorded(platform);

  const operationsBefore = await platform.operations();
  const cpuBefore = cpuOf(platform, tools);
  const count = eventsOf(scenario, options.seconds);
  const { refused, example } = await publish(first, count);
  await arrivals(tools, arrived + (count - refused * Math.max(scenario.batch, 1)) * fanout);
  const storedAfter = await untilRecorded(platform);
  const cpuAfter = cpuOf(platform, tools);
  const operationsAfter = await platform.operations();

  const dump = join(directory, 'arrived');
  await tools.receiver.ask(`dump ${dump}`);
  const outcome = joinArrivals(scenario, { first, count }, readRows(out), readRows(dump));
  const { accepted, deliveries } = outcome;
  const per10k = (who: keyof StackMeasurement['cpu']): number =>
    ((cpuAfter[who] - cpuBefore[who]) / deliveries) * 10_000;
  const kafkaBytes = difference(storedAfter.kafkaBytes, storedBefore.kafkaBytes);
  return {
    ...outcome,
    refused,
    refusal: example,
    cpu: {
      gateway: per10k('gateway'),
      'event-ingest': per10k('event-ingest'),
      dispatcher: per10k('dispatcher'),
      config: per10k('config'),
      publisher: per10k('publisher'),
      receiver: per10k('receiver'),
    },
    maxRssMib: platform.maxRssMib(),
    kafkaBytesPerEvent: kafkaBytes === null ? null : kafkaBytes / accepted,
    growth: growthOf(storedBefore, storedAfter, deliveries),
    operations: Object.fromEntries(
      [...operationsAfter]
        .map(
          ([key, after]) => [key, ((after - (operationsBefore.get(key) ?? 0)) / deliveries) * 1_000] as const,
        )
        .filter(([, per1k]) => per1k > 0),
    ),
  };
}

/** CPU seconds for each minute in which nobody publishes anything. */
export async function measureIdle(platform: MeasuredPlatform, ms: number): Promise<ByService> {
  const before = platform.cpuSeconds();
  await sleep(ms);
  const after = platform.cpuSeconds();
  const perMinute = (service: (typeof services)[number]): number =>
    ((after[service] - before[service]) / ms) * 60_000;
  return {
    gateway: perMinute('gateway'),
    'event-ingest': perMinute('event-ingest'),
    dispatcher: perMinute('dispatcher'),
    config: perMinute('config'),
  };
}

function cpuOf(platform: MeasuredPlatform, { publisher, receiver }: LoadTools): StackMeasurement['cpu'] {
  return {
    ...platform.cpuSeconds(),
    publisher: publisher.cpuSeconds(),
    receiver: receiver.cpuSeconds(),
  };
}

/** Deliveries are recorded after they have arrived: waits until nothing is left to record, and the collections grow no more. */
async function untilRecorded(platform: MeasuredPlatform): Promise<Stored> {
  let last = await platform.stored();
  const deadline = performance.now() + recordLimitMs;
  for (;;) {
    await sleep(settleMs);
    const isRecorded = (await platform.unrecorded()) === 0;
    const now = await platform.stored();
    if (isRecorded && documentsOf(now) === documentsOf(last)) return now;
    if (performance.now() > deadline) throw new Error('What has arrived is not on record in time.');
    last = now;
  }
}

function documentsOf({ collections }: Stored): number {
  return (collections ?? []).reduce((sum, { documents }) => sum + documents, 0);
}

/** Collections in which documents were made: others, such as leases, hold a few that change. */
export function growthOf(before: Stored, after: Stored, deliveries: number): readonly Growth[] | null {
  if (before.collections === null || after.collections === null) return null;
  const old = new Map(before.collections.map((size) => [size.name, size]));
  return after.collections.flatMap((now) => {
    const was = old.get(now.name) ?? { documents: 0, dataBytes: 0, indexBytes: 0 };
    const documents = now.documents - was.documents;
    if (documents <= 0) return [];
    return [
      {
        collection: now.name,
        documentsPerDelivery: documents / deliveries,
        bytesPerDocument: (now.dataBytes - was.dataBytes) / documents,
        indexBytesPerDocument: (now.indexBytes - was.indexBytes) / documents,
      },
    ];
  });
}

function difference(after: number | null, before: number | null): number | null {
  return after === null || before === null ? null : after - before;
}
