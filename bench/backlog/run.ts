/**
 * `npm run bench:backlog`: what many deliveries that wait for one dead endpoint cost everybody else. The same events to another
 * endpoint, of another organisation, before and after they are there; on the embedded default or on the four services.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withEnding } from '../ending.ts';
import type { Ending } from '../ending.ts';
import { describe, environment } from '../environment.ts';
import { createPublish, startLoadTools } from '../load-tools.ts';
import type { LoadTools } from '../load-tools.ts';
import { stopAll } from '../processes.ts';
import type { Scenario } from '../scenarios.ts';
import { provision } from '../servers.ts';
import { fixed } from '../table.ts';
import type { BacklogPlatform } from './backlog-platform.ts';
import { startEmbedded } from './embedded.ts';
import { measureBacklog } from './measure.ts';
import type { BacklogMeasurement } from './measure.ts';
import { readBacklogOptions } from './options.ts';
import type { BacklogOptions } from './options.ts';
import { describeBacklog } from './report.ts';
import { startServices } from './services.ts';

const warmUpSeconds = 3;
/** By then the dead endpoint's first attempt is under way. */
const firstAttemptMs = 3_000;

function scenarioOf(rate: number): Scenario {
  return {
    name: 'backlog',
    title: 'one endpoint beside a dead one',
    organisations: 1,
    types: 1,
    fanout: 1,
    hanging: 0,
    batch: 0,
    connections: 50,
    rate,
    eventsPerSecond: rate,
    yardstick: 'none hangs',
  };
}

async function main(
  platform: BacklogPlatform,
  tools: LoadTools,
  directory: string,
  options: BacklogOptions,
): Promise<void> {
  const { on, rate, seconds } = options;
  const { deliveries = platform.deliveries } = options;
  const about = { ...environment(tools), on, ...platform.servers, deliveries, rate, seconds };
  console.log(`${describe({ ...about, 'warm-up': warmUpSeconds })}\n`);

  const { operatorKey } = platform;
  const { ports } = tools;
  const answering = scenarioOf(rate);
  const dead = { ...answering, hanging: 1 };
  const provisionOne = (scenario: Scenario, prefix: string): Promise<readonly string[]> =>
    provision({ url: platform.url, operatorKey, scenario, ports, prefix });
  const keys = await provisionOne(answering, 'answering');
  const deadKeys = await provisionOne(dead, 'dead');
  const measure = (): Promise<BacklogMeasurement> =>
    measureBacklog({ platform, scenario: answering, keys, seconds, warmUpSeconds, tools, directory });

  const without = await measure();
  const port = Number(new URL(platform.url).port);
  const publishToDead = createPublish(tools, dead, { port, keys: deadKeys, out: join(directory, 'dead') });
  const { refused, example } = await publishToDead(0, 1);
  if (refused > 0) throw new Error(`The dead endpoint's event was refused: ${example}`);
  await sleep(firstAttemptMs);
  const { seconds: fillSeconds, mib } = await platform.fill(deliveries);
  console.log(`${deliveries} deliveries wait now (${fixed(fillSeconds, 0)} s, ${fixed(mib, 0)} MiB)\n`);

  const beside = await measure();
  console.log(describeBacklog({ without, beside }));
  if (without.missing + beside.missing > 0) process.exitCode = 1;
}

function startPlatform(
  on: BacklogOptions['on'],
  directory: string,
  ending: Ending,
): Promise<BacklogPlatform> {
  switch (on) {
    case 'embedded':
      return startEmbedded(join(directory, 'data'));
    case 'services':
      return startServices(ending);
  }
}

const options = readBacklogOptions(process.argv.slice(2));
if (options !== undefined) {
  await withEnding(async (ending) => {
    const directory = mkdtempSync(join(options.directory, 'posthorn-bench-backlog-'));
    ending.onEnd(() => rmSync(directory, { recursive: true, force: true }));
    ending.onEnd(stopAll);
    const platform = await startPlatform(options.on, directory, ending);
    const tools = await startLoadTools(1, options.load);
    await platform.explain(async () => {
      try {
        await main(platform, tools, directory, options);
      } catch (error) {
        if (!ending.interrupted.aborted) throw error;
      }
    });
  });
}
