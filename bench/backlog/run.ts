/**
 * `npm run bench:backlog`: what a million deliveries that wait for one dead endpoint cost everybody else. The same events to another
 * endpoint, of another organisation, before and after they are there; on the embedded default.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { request } from 'undici';
import { join as joinArrivals, type Outcome } from '../arrivals.ts';
import { environment } from '../environment.ts';
import { publish, readRows, startLoadTools, type LoadTools } from '../load-tools.ts';
import { arrivals } from '../measure.ts';
import { payloadMembers } from '../payload.ts';
import { stopAll, type Running } from '../processes.ts';
import { typeNames, type Scenario } from '../scenarios.ts';
import { launchPosthorn, provision } from '../servers.ts';
import { fixed, table } from '../table.ts';
import { fillBacklog } from './fill.ts';

interface Plan {
  readonly deliveries: number;
  readonly rate: number;
  readonly seconds: number;
  readonly directory: string;
}

const warmUpSeconds = 3;
/** The dead endpoint's first attempt is under way, and then its record written. */
const firstAttemptMs = 2_000;

const one: Scenario = {
  name: 'backlog',
  title: 'one endpoint beside a dead one',
  organisations: 1,
  types: 1,
  fanout: 1,
  hanging: 0,
  batch: 0,
  connections: 50,
  rate: 0,
  eventsPerSecond: 0,
  yardstick: 'none hangs',
};

interface Platform {
  readonly running: Running;
  readonly url: string;
}

interface Measured extends Outcome {
  readonly maxRssMib: number;
}

async function main(plan: Plan): Promise<void> {
  const tools = await startLoadTools(1, undefined);
  const { deliveries, rate, seconds } = plan;
  const about = { ...environment(tools), deliveries, rate, seconds, 'warm-up': warmUpSeconds };
  console.log(
    `${Object.entries(about)
      .map((entry) => entry.join(' '))
      .join(', ')}\n`,
  );

  const data = join(plan.directory, 'data');
  const operatorKey = randomBytes(24).toString('hex');
  const { ports } = tools;
  let platform: Platform = await launchPosthorn({ directory: data, operatorKey });
  const keys = await provision({ ...platform, operatorKey, scenario: one, ports, prefix: 'well' });
  const dead = { ...one, hanging: 1 };
  const deadKeys = await provision({ ...platform, operatorKey, scenario: dead, ports, prefix: 'dead' });
  const without = await measure(platform, keys, tools, plan, 0);

  await publishOne(platform, deadKeys[0] ?? '');
  await sleep(firstAttemptMs);
  await platform.running.stop();
  const filledAt = performance.now();
  fillBacklog(data, deliveries);
  const fillSeconds = (performance.now() - filledAt) / 1_000;
  console.log(`${deliveries} deliveries wait now (${fixed(fillSeconds, 0)} s, ${mebibytes(data)} MiB)\n`);

  platform = await launchPosthorn({ directory: data, operatorKey });
  const beside = await measure(platform, keys, tools, plan, 1);
  await platform.running.stop();
  console.log(describe({ without, beside }));
  if (without.missing + beside.missing > 0) process.exitCode = 1;
}

/** Publishes at the rate; the numbers of a part's events are its own. */
async function measure(
  { running, url }: Platform,
  keys: readonly string[],
  tools: LoadTools,
  { rate, seconds, directory }: Plan,
  part: number,
): Promise<Measured> {
  const out = join(directory, `published-${part}`);
  const publishMore = (first: number, count: number): ReturnType<typeof publish> =>
    publish(tools, {
      port: Number(new URL(url).port),
      connections: one.connections,
      rate,
      first,
      count,
      batch: 0,
      keys,
      types: typeNames(one),
      rest: payloadMembers,
      out,
    });
  await tools.receiver.ask('clear');
  const first = rate * warmUpSeconds;
  await publishMore(0, first);
  const before = await arrivals(tools, first);
  const count = rate * seconds;
  const { refused } = await publishMore(first, count);
  await arrivals(tools, before + count - refused);
  const dump = join(directory, `arrived-${part}`);
  await tools.receiver.ask(`dump ${dump}`);
  const outcome = joinArrivals({ ...one, rate }, { first, count }, readRows(out), readRows(dump));
  return { ...outcome, maxRssMib: running.maxRssMib() };
}

async function publishOne({ url }: Platform, key: string): Promise<void> {
  const response = await request(`${url}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ type: typeNames(one)[0], data: JSON.parse(`{${payloadMembers}}`) as unknown }),
  });
  const text = await response.body.text();
  if (response.statusCode !== 202) throw new Error(`POST events: ${response.statusCode} ${text}`);
}

function mebibytes(data: string): string {
  return fixed(statSync(join(data, 'posthorn.db')).size / 2 ** 20, 0);
}

function describe({ without, beside }: { readonly without: Measured; readonly beside: Measured }): string {
  const row = (name: string, measured: Measured): string[] => [
    name,
    ...[measured.acceptToReceive.p50Ms, measured.acceptToReceive.p99Ms, measured.sendToReceive.p99Ms].map(
      (ms) => fixed(ms, 1),
    ),
    fixed(measured.maxRssMib, 0),
    String(measured.deliveries),
    String(measured.missing),
  ];
  const ratio = beside.acceptToReceive.p99Ms / without.acceptToReceive.p99Ms;
  return [
    ...table(
      [
        ['', 'p50 ms', 'p99 ms', 'send p99', 'RSS MiB', 'deliveries', 'missing'],
        row('nothing waits', without),
        row('the backlog waits', beside),
      ],
      1,
    ),
    '',
    `p99 with the backlog: ${fixed(ratio, 2)} × that without; the most memory: ${fixed(beside.maxRssMib, 0)} MiB (bound: 300)`,
  ].join('\n');
}

const { values } = parseArgs({
  options: {
    deliveries: { type: 'string', default: '1000000' },
    rate: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '20' },
    dir: { type: 'string', default: tmpdir() },
  },
});
const directory = mkdtempSync(join(values.dir, 'posthorn-backlog-'));
try {
  await main({
    deliveries: Number(values.deliveries),
    rate: Number(values.rate),
    seconds: Number(values.seconds),
    directory,
  });
} finally {
  await stopAll();
  rmSync(directory, { recursive: true, force: true });
}
