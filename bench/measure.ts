/** One measurement: a fresh server, a warm-up, the scenario's events, and the wait until every delivery has arrived. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { join as joinArrivals } from './arrivals.ts';
import type { Outcome } from './arrivals.ts';
import { createPublish, readRows } from './load-tools.ts';
import type { LoadTools } from './load-tools.ts';
import type { Scenario, Subject } from './scenarios.ts';
import { startServer } from './servers.ts';
import type { Server } from './servers.ts';

export interface Measurement extends Outcome {
  readonly refused: number;
  /** The first refusal, for the report. */
  readonly refusal: string;
  /** CPU seconds for 10,000 deliveries, user and system, of each process. */
  readonly cpu: { readonly server: number; readonly publisher: number; readonly receiver: number };
  readonly maxRssMib: number;
  readonly eventLoopP99Ms: number | null;
  /** Monotonic clock, microseconds: the part of a CPU profile that counts. */
  readonly window: { readonly fromMicros: number; readonly toMicros: number };
}

export interface MeasureOptions {
  readonly subject: Subject;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly tools: LoadTools;
  /** Emptied before and removed after. */
  readonly directory: string;
  readonly profile?: string;
}

/** Without a delivery for so long, what is missing is given up. The first retry comes after 5 s and its jitter. */
const patienceMs = 20_000;
const pollMs = 50;
/** After the last delivery, for the server to record it, and for duplicates to show up. */
const settleMs = 500;

export async function measure(options: MeasureOptions): Promise<Measurement> {
  const { tools, directory, profile } = options;
  const { server: name, scenario } = options.subject;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const server = await startServer(name, {
    scenario,
    ports: tools.ports.slice(0, scenario.organisations * scenario.fanout),
    directory: join(directory, 'data'),
    ...(profile !== undefined && { profile }),
  });
  try {
    return await run(server, options);
  } finally {
    // What hangs needn't be waited for: the data is thrown away. A profile is written at a graceful end only.
    await server.process.stop(profile === undefined ? 5_000 : 60_000);
    rmSync(directory, { recursive: true, force: true });
  }
}

async function run(server: Server, options: MeasureOptions): Promise<Measurement> {
  const { tools, directory } = options;
  const { scenario } = options.subject;
  const out = join(directory, 'published');
  const publish = createPublish(tools, scenario, { port: server.port, keys: server.keys, out });

  await tools.receiver.ask('clear');
  const first = eventsOf(scenario, options.warmUpSeconds);
  const warmUp = await publish(0, first);
  if (warmUp.refused > 0)
    throw new Error(`${warmUp.refused} events of the warm-up refused: ${warmUp.example}`);
  const delivered = scenario.fanout - scenario.hanging;
  const before = await arrivals(tools, first * delivered);
  await sleep(settleMs);

  await server.eventLoopP99Ms();
  const cpuBefore = cpuSecondsOf(server, tools);
  const fromMicros = monotonicMicros();
  const count = eventsOf(scenario, options.seconds);
  const { refused, example } = await publish(first, count);
  await arrivals(tools, before + (count - refused * Math.max(scenario.batch, 1)) * delivered);
  await sleep(settleMs);
  const toMicros = monotonicMicros();
  const cpuAfter = cpuSecondsOf(server, tools);
  const eventLoopP99Ms = await server.eventLoopP99Ms();
  const maxRssMib = server.process.maxRssMib();

  const dump = join(directory, 'arrived');
  await tools.receiver.ask(`dump ${dump}`);
  const outcome = joinArrivals(scenario, { first, count }, readRows(out), readRows(dump));
  const per10k = (process: keyof typeof cpuBefore): number =>
    ((cpuAfter[process] - cpuBefore[process]) / outcome.deliveries) * 10_000;
  return {
    ...outcome,
    refused,
    refusal: example,
    cpu: { server: per10k('server'), publisher: per10k('publisher'), receiver: per10k('receiver') },
    maxRssMib,
    eventLoopP99Ms,
    window: { fromMicros, toMicros },
  };
}

/** A whole number of requests, so that an event's number says which request it is in. */
export function eventsOf({ eventsPerSecond, batch }: Scenario, seconds: number): number {
  const size = Math.max(batch, 1);
  return Math.max(1, Math.round((eventsPerSecond * seconds) / size)) * size;
}

/** Waits until so many deliveries have arrived in all, or none comes any more; returns how many have. */
export async function arrivals({ receiver }: LoadTools, expected: number): Promise<number> {
  let count = 0;
  for (let quietMs = 0; quietMs < patienceMs; quietMs += pollMs) {
    const now = Number(await receiver.ask('count'));
    if (now >= expected) return now;
    if (now > count) quietMs = 0;
    count = now;
    await sleep(pollMs);
  }
  return count;
}

function cpuSecondsOf(server: Server, { publisher, receiver }: LoadTools): Measurement['cpu'] {
  return {
    server: server.process.cpuSeconds(),
    publisher: publisher.cpuSeconds(),
    receiver: receiver.cpuSeconds(),
  };
}

function monotonicMicros(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}
