/** The same events to the endpoint that answers, each time. */
import { join } from 'node:path';
import { join as joinArrivals } from '../arrivals.ts';
import type { Outcome } from '../arrivals.ts';
import { createPublish, readRows } from '../load-tools.ts';
import type { LoadTools } from '../load-tools.ts';
import { arrivals } from '../measure.ts';
import type { Scenario } from '../scenarios.ts';
import type { BacklogPlatform } from './backlog-platform.ts';

export interface BacklogMeasurement extends Outcome {
  /** CPU seconds for 10,000 deliveries, of the process that delivers. */
  readonly cpu: number;
  readonly maxRssMib: number;
}

export interface BacklogMeasureOptions {
  readonly platform: BacklogPlatform;
  readonly scenario: Scenario;
  readonly keys: readonly string[];
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly tools: LoadTools;
  /** For the tools' notes. */
  readonly directory: string;
}

export async function measureBacklog(options: BacklogMeasureOptions): Promise<BacklogMeasurement> {
  const { platform, scenario, keys, seconds, warmUpSeconds, tools, directory } = options;
  const port = Number(new URL(platform.url).port);
  const out = join(directory, 'published');
  const publish = createPublish(tools, scenario, { port, keys, out });
  await tools.receiver.ask('clear');
  const first = scenario.rate * warmUpSeconds;
  await publish(0, first);
  const before = await arrivals(tools, first);
  const cpuBefore = platform.cpuSeconds();
  const count = scenario.rate * seconds;
  const { refused } = await publish(first, count);
  await arrivals(tools, before + count - refused);
  const cpuSeconds = platform.cpuSeconds() - cpuBefore;
  const dump = join(directory, 'arrived');
  await tools.receiver.ask(`dump ${dump}`);
  const outcome = joinArrivals(scenario, { first, count }, readRows(out), readRows(dump));
  const cpu = (cpuSeconds / outcome.deliveries) * 10_000;
  return { ...outcome, cpu, maxRssMib: platform.maxRssMib() };
}
