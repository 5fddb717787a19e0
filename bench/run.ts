/**
 * `npm run bench`: the standalone platform against local receivers, with the bare loop as the yardstick in the same run.
 * Both are measured in turns, each time in a fresh process on an empty directory, so that what else the machine does
 * meets both of them; see README.md for how to read the figures.
 */
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describeProfile, summarizeProfile } from './cpu-profile.ts';
import { withEnding } from './ending.ts';
import { describe, environment } from './environment.ts';
import { startLoadTools } from './load-tools.ts';
import type { LoadTools } from './load-tools.ts';
import { measure } from './measure.ts';
import type { Measurement } from './measure.ts';
import { readOptions } from './options.ts';
import type { BenchOptions } from './options.ts';
import { stopAll } from './processes.ts';
import { describeResults, progressLine, targetsOf } from './report.ts';
import type { ScenarioResult } from './report.ts';
import { subjectsOf } from './scenarios.ts';
import type { Scenario, Subject } from './scenarios.ts';

/** `f_type` of a file system that is kept in memory, where a commit costs nothing. */
const tmpfsType = 0x01021994;
/** Lines of each list of a profile. */
const profileLines = 25;

async function main(options: BenchOptions, directory: string): Promise<void> {
  const ports = Math.max(...options.scenarios.map(({ organisations, fanout }) => organisations * fanout));
  const tools = await startLoadTools(ports, options.load);
  if (statfsSync(directory).type === tmpfsType) {
    console.error(
      `${options.directory} is in memory: nothing is made durable there. Name a directory on a disk with --dir.`,
    );
  }
  const { rounds, seconds, warmUpSeconds } = options;
  const about = { ...environment(tools), rounds, seconds, 'warm-up': warmUpSeconds };
  console.log(`${describe(about)}\n`);

  const results: ScenarioResult[] = [];
  for (const scenario of options.scenarios)
    results.push(await measureScenario(scenario, tools, options, directory));

  console.log(`\n${describeResults(results)}`);
  const targets = targetsOf(results);
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify({ ...about, results, targets }, null, 2)}\n`);
  }
  const measurements = results.flatMap(({ rounds }) => rounds.flat());
  // Noise makes things slow; it loses nothing.
  const wrong = measurements.some(({ missing, stray }) => missing > 0 || stray > 0);
  if (wrong || (options.enforce && targets.some(({ met }) => !met))) process.exitCode = 1;
}

async function measureScenario(
  scenario: Scenario,
  tools: LoadTools,
  options: BenchOptions,
  directory: string,
): Promise<ScenarioResult> {
  console.log(`${scenario.name}: ${scenario.title}`);
  const subjects = subjectsOf(scenario);
  const [yardstick, platform] = subjects;
  const rounds: [Measurement, Measurement][] = [];
  for (let round = 1; round <= options.rounds; round++) {
    const measureOne = (subject: Subject): Promise<Measurement> =>
      measureSubject(subject, round, tools, options, directory);
    rounds.push([await measureOne(yardstick), await measureOne(platform)]);
  }
  return { scenario, subjects, rounds };
}

async function measureSubject(
  subject: Subject,
  round: number,
  tools: LoadTools,
  { seconds, warmUpSeconds, profiles }: BenchOptions,
  directory: string,
): Promise<Measurement> {
  const profile =
    profiles === undefined
      ? undefined
      : join(
          resolve(profiles),
          `${subject.scenario.name}-${subject.name.replaceAll(' ', '-')}-${round}.cpuprofile`,
        );
  const measurement = await measure({
    subject,
    seconds,
    warmUpSeconds,
    tools,
    directory: join(directory, 'run'),
    ...(profile !== undefined && { profile }),
  });
  console.log(progressLine(subject, measurement));
  if (profile !== undefined) {
    const { fromMicros, toMicros } = measurement.window;
    console.log(`\n${describeProfile(summarizeProfile(profile, measurement.window), profileLines)}\n`);
    console.log(`node bench/read-profile.ts ${profile} --from ${fromMicros} --to ${toMicros}\n`);
  }
  return measurement;
}

const options = readOptions(process.argv.slice(2));
if (options !== undefined) {
  if (options.profiles !== undefined) mkdirSync(options.profiles, { recursive: true });
  await withEnding(async ({ onEnd }) => {
    const directory = mkdtempSync(join(options.directory, 'posthorn-bench-'));
    onEnd(() => rmSync(directory, { recursive: true, force: true }));
    onEnd(stopAll);
    await main(options, directory);
  });
}
