/**
 * `npm run bench:stack`: the four services as processes over a real Kafka and a MongoDB, against local receivers. One pair
 * of servers for all measurements; each size of the platform begins on an empty database and an empty topic. See
 * ../README.md for how to read the figures.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withEnding } from '../ending.ts';
import type { Ending } from '../ending.ts';
import { describe, environment } from '../environment.ts';
import { startLoadTools } from '../load-tools.ts';
import type { LoadTools } from '../load-tools.ts';
import { stopAll } from '../processes.ts';
import { measureIdle, measureOnStack } from './measure.ts';
import type { StackMeasurement } from './measure.ts';
import { startMeasuredPlatform, startServers } from './measured-platform.ts';
import type { ByService, Servers } from './measured-platform.ts';
import { readStackOptions } from './options.ts';
import type { StackBenchOptions } from './options.ts';
import { describeStackResults, progressLine } from './report.ts';
import { describeSetup } from './setups.ts';
import type { Setup } from './setups.ts';

const idleMs = 5_000;

/** What one life of a platform showed. */
interface Life {
  readonly idle: ByService;
  readonly measurements: ReadonlyMap<string, StackMeasurement>;
}

async function main(
  options: StackBenchOptions,
  servers: Servers,
  directory: string,
  ending: Ending,
): Promise<void> {
  const ports = Math.max(...options.scenarios.map(({ organisations, fanout }) => organisations * fanout));
  const tools = await startLoadTools(ports, options.load);
  const { rounds, seconds, warmUpSeconds } = options;
  const about = {
    ...environment(tools),
    Kafka: servers.kafka.description,
    MongoDB: servers.mongodb.description,
    rounds,
    seconds,
    'warm-up': warmUpSeconds,
  };
  console.log(describe(about));

  const lives = new Map<Setup, Life[]>(options.setups.map((setup) => [setup, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const [setup, ofSetup] of lives) {
      console.log(`\n${describeSetup(setup)} (dispatchers × partitions)`);
      ofSetup.push(await live(setup, servers, tools, options, directory, ending));
    }
  }

  const results = [...lives].flatMap(([setup, ofSetup]) =>
    options.scenarios.map((scenario) => ({
      setup,
      scenario,
      rounds: ofSetup.flatMap(({ measurements }) => measurements.get(scenario.name) ?? []),
    })),
  );
  const idle = [...lives].map(([setup, ofSetup]) => ({ setup, rounds: ofSetup.map((life) => life.idle) }));
  console.log(`\n${describeStackResults(results, idle)}`);
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify({ ...about, results, idle }, null, 2)}\n`);
  }
  // Noise makes things slow; it loses nothing.
  if (results.some((result) => result.rounds.some(({ missing, stray }) => missing > 0 || stray > 0))) {
    process.exitCode = 1;
  }
}

/** A platform from its start to its end. */
async function live(
  setup: Setup,
  servers: Servers,
  tools: LoadTools,
  { scenarios, seconds, warmUpSeconds }: StackBenchOptions,
  directory: string,
  ending: Ending,
): Promise<Life> {
  const platform = await startMeasuredPlatform(servers, setup, ending);
  try {
    const measurements = new Map<string, StackMeasurement>();
    for (const scenario of scenarios) {
      const measurement = await measureOnStack({
        platform,
        scenario,
        seconds,
        warmUpSeconds,
        tools,
        directory,
      });
      console.log(progressLine(scenario, measurement));
      measurements.set(scenario.name, measurement);
    }
    return { measurements, idle: await measureIdle(platform, idleMs) };
  } catch (error) {
    if (ending.interrupted.aborted) throw error;
    return await platform.explain(() => {
      throw error;
    });
  } finally {
    if (!ending.interrupted.aborted) await platform.stop();
  }
}

const options = readStackOptions(process.argv.slice(2));
if (options !== undefined) {
  await withEnding(async (ending) => {
    const directory = mkdtempSync(join(tmpdir(), 'posthorn-bench-stack-'));
    ending.onEnd(() => rmSync(directory, { recursive: true, force: true }));
    const servers = await startServers(ending);
    ending.onEnd(stopAll);
    await main(options, servers, directory, ending);
  });
}
