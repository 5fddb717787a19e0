/** What was measured, as tables for people: medians of the rounds, ratios to the yardstick, and the targets. */
import type { Measurement } from './measure.ts';
import type { Scenario, Subject } from './scenarios.ts';
import { fixed, median, table } from './table.ts';

/** All rounds of a scenario; the yardstick's and the platform's of one round were measured right after each other. */
export interface ScenarioResult {
  readonly scenario: Scenario;
  readonly subjects: readonly [yardstick: Subject, platform: Subject];
  readonly rounds: readonly (readonly [yardstick: Measurement, platform: Measurement])[];
}

export interface Target {
  readonly scenario: string;
  readonly name: string;
  readonly value: number | null;
  readonly met: boolean;
}

/** What issue 4 asks for. */
const leastRatio = 0.6;
/** Of those that answer, while one of ten hangs. */
const mostBesideHanging = 1.2;
const mostP99Ms = 15;
const mostEventLoopP99Ms = 50;

type Figure = (measurement: Measurement) => number | null;

const columns: readonly { readonly title: string; readonly figure: Figure; readonly digits: number }[] = [
  { title: 'accept/s', figure: (m) => m.acceptedPerSecond, digits: 0 },
  { title: 'deliver/s', figure: (m) => m.deliveriesPerSecond, digits: 0 },
  { title: 'p50 ms', figure: (m) => m.acceptToReceive.p50Ms, digits: 1 },
  { title: 'p99 ms', figure: (m) => m.acceptToReceive.p99Ms, digits: 1 },
  { title: 'send p99', figure: (m) => m.sendToReceive.p99Ms, digits: 1 },
  { title: 'server CPU', figure: (m) => m.cpu.server, digits: 2 },
  { title: 'load CPU', figure: (m) => m.cpu.publisher, digits: 2 },
  { title: 'recv CPU', figure: (m) => m.cpu.receiver, digits: 2 },
  { title: 'RSS MiB', figure: (m) => m.maxRssMib, digits: 0 },
  { title: 'loop p99', figure: (m) => m.eventLoopP99Ms, digits: 1 },
  { title: 'deliveries', figure: (m) => m.deliveries, digits: 0 },
  { title: 'missing', figure: (m) => m.missing, digits: 0 },
  { title: 'double', figure: (m) => m.duplicates, digits: 0 },
  { title: 'refused', figure: (m) => m.refused, digits: 0 },
];

/** One line for a measurement that has just ended. */
export function progressLine(subject: Subject, m: Measurement): string {
  return [
    `  ${subject.name.padEnd(10)}`,
    `${m.deliveriesPerSecond.toFixed(0).padStart(6)} deliveries/s,`,
    `p99 ${m.acceptToReceive.p99Ms.toFixed(1)} ms,`,
    `${m.cpu.server.toFixed(2)} CPU s`,
    ...(m.missing > 0 ? [`, ${m.missing} MISSING`] : []),
    ...(m.stray > 0 ? [`, ${m.stray} UNEXPLAINED`] : []),
    ...(m.refused > 0 ? [`, ${m.refused} refused: ${m.refusal}`] : []),
  ].join(' ');
}

export function describeResults(results: readonly ScenarioResult[]): string {
  const rows = results.flatMap((result) =>
    ([0, 1] as const).map((index) => [
      index === 0 ? result.scenario.name : '',
      result.subjects[index].name,
      ...columns.map(({ figure, digits }) => fixed(medianOf(result, index, figure), digits)),
    ]),
  );
  const ratios = results.map((result) => [
    result.scenario.name,
    result.subjects[0].name,
    fixed(
      ratioOf(result, (m) => m.deliveriesPerSecond),
      2,
    ),
    fixed(
      ratioOf(result, (m) => m.cpu.server),
      2,
    ),
    fixed(
      medianOf(result, 0, (m) => m.acceptToReceive.p99Ms),
      1,
    ),
    fixed(
      medianOf(result, 1, (m) => m.acceptToReceive.p99Ms),
      1,
    ),
  ]);
  return [
    'Medians. p50, p99: accept to receive. CPU: seconds for 10,000 deliveries. loop: event loop delay, ms.',
    '',
    ...table([['scenario', '', ...columns.map(({ title }) => title)], ...rows]),
    '',
    'Posthorn against the yardstick: medians of the ratios round by round.',
    '',
    ...table([
      ['scenario', 'yardstick', 'deliver/s ×', 'server CPU ×', 'its p99 ms', 'our p99 ms'],
      ...ratios,
    ]),
    '',
    'Targets',
    '',
    ...targetsOf(results).map(
      ({ scenario, name, value, met }) =>
        `  ${met ? '✓' : '✗'} ${scenario.padEnd(8)} ${name}: ${value === null ? 'not published by the server' : value.toFixed(2)}`,
    ),
  ].join('\n');
}

export function targetsOf(results: readonly ScenarioResult[]): Target[] {
  return results.flatMap((result) => {
    const { name: scenario } = result.scenario;
    const least = (name: string, value: number | null, bound: number): Target => ({
      scenario,
      name: `${name} ≥ ${bound}`,
      value,
      met: value !== null && value >= bound,
    });
    const below = (name: string, value: number | null, bound: number): Target => ({
      scenario,
      name: `${name} < ${bound}`,
      value,
      met: value !== null && value < bound,
    });
    return [
      ...(scenario === 'single' || scenario === 'fanout'
        ? [
            least(
              'delivery rate, of the bare loop',
              ratioOf(result, (m) => m.deliveriesPerSecond),
              leastRatio,
            ),
          ]
        : []),
      ...(scenario === 'rate500'
        ? [
            below(
              'p99 accept to receive, ms',
              medianOf(result, 1, (m) => m.acceptToReceive.p99Ms),
              mostP99Ms,
            ),
          ]
        : []),
      ...(result.scenario.yardstick === 'none hangs'
        ? [
            below(
              'p99 accept to receive, of that while none hangs',
              ratioOf(result, (m) => m.acceptToReceive.p99Ms),
              mostBesideHanging,
            ),
          ]
        : []),
      below(
        'event loop p99 delay, ms',
        medianOf(result, 1, (m) => m.eventLoopP99Ms),
        mostEventLoopP99Ms,
      ),
    ];
  });
}

function medianOf({ rounds }: ScenarioResult, subject: 0 | 1, figure: Figure): number | null {
  return median(rounds.map((round) => figure(round[subject])));
}

function ratioOf({ rounds }: ScenarioResult, figure: Figure): number | null {
  return median(
    rounds.map(([yardstick, platform]) => {
      const [of, is] = [figure(yardstick), figure(platform)];
      return of === null || is === null ? null : is / of;
    }),
  );
}
