/** What was measured on the stack, as tables for people: medians of the rounds. */
import { fixed, median, table } from '../table.ts';
import type { Scenario } from '../scenarios.ts';
import type { StackMeasurement } from './measure.ts';
import { services } from './measured-platform.ts';
import type { ByService } from './measured-platform.ts';
import { describeSetup } from './setups.ts';
import type { Setup } from './setups.ts';

export interface StackResult {
  readonly setup: Setup;
  readonly scenario: Scenario;
  readonly rounds: readonly StackMeasurement[];
}

export interface IdleResult {
  readonly setup: Setup;
  readonly rounds: readonly ByService[];
}

interface Column {
  readonly title: string;
  readonly figure: (m: StackMeasurement) => number | null;
  readonly digits: number;
}

const flow: readonly Column[] = [
  { title: 'accept/s', figure: (m) => m.acceptedPerSecond, digits: 0 },
  { title: 'deliver/s', figure: (m) => m.deliveriesPerSecond, digits: 0 },
  { title: 'p50 ms', figure: (m) => m.acceptToReceive.p50Ms, digits: 1 },
  { title: 'p99 ms', figure: (m) => m.acceptToReceive.p99Ms, digits: 1 },
  { title: 'send p99', figure: (m) => m.sendToReceive.p99Ms, digits: 1 },
  { title: 'deliveries', figure: (m) => m.deliveries, digits: 0 },
  { title: 'missing', figure: (m) => m.missing, digits: 0 },
  { title: 'double', figure: (m) => m.duplicates, digits: 0 },
  { title: 'refused', figure: (m) => m.refused, digits: 0 },
];

const cost: readonly Column[] = [
  ...services.map((service) => ({
    title: service,
    figure: (m: StackMeasurement) => m.cpu[service],
    digits: 2,
  })),
  { title: 'all four', figure: (m) => services.reduce((sum, service) => sum + m.cpu[service], 0), digits: 2 },
  { title: 'load', figure: (m) => m.cpu.publisher, digits: 2 },
  { title: 'receiver', figure: (m) => m.cpu.receiver, digits: 2 },
];

const memory: readonly Column[] = services.map((service) => ({
  title: service,
  figure: (m) => m.maxRssMib[service],
  digits: 0,
}));

/** One line for a measurement that has just ended. */
export function progressLine(scenario: Scenario, m: StackMeasurement): string {
  return [
    `  ${scenario.name.padEnd(8)}`,
    `${m.deliveriesPerSecond.toFixed(0).padStart(6)} deliveries/s,`,
    `p99 ${m.acceptToReceive.p99Ms.toFixed(1)} ms,`,
    `${services.reduce((sum, service) => sum + m.cpu[service], 0).toFixed(2)} CPU s`,
    ...(m.missing > 0 ? [`, ${m.missing} MISSING`] : []),
    ...(m.stray > 0 ? [`, ${m.stray} UNEXPLAINED`] : []),
    ...(m.refused > 0 ? [`, ${m.refused} refused: ${m.refusal}`] : []),
  ].join(' ');
}

export function describeStackResults(results: readonly StackResult[], idle: readonly IdleResult[]): string {
  return [
    'Medians. The setup is dispatchers × partitions. p50, p99: accept to receive.',
    '',
    ...columnsOf(results, flow),
    '',
    'CPU seconds for 10,000 deliveries, all processes of a service together.',
    '',
    ...columnsOf(results, cost),
    '',
    'CPU seconds a minute while nothing is published.',
    '',
    ...table(
      [
        ['setup', ...services],
        ...idle.map(({ setup, rounds }) => [
          describeSetup(setup),
          ...services.map((service) => fixed(median(rounds.map((round) => round[service])), 2)),
        ]),
      ],
      1,
    ),
    '',
    'The most memory that a process of a service had, MiB.',
    '',
    ...columnsOf(results, memory),
    '',
    'What is kept, whatever the setup. Kafka: bytes of one replica for each event. MongoDB: bytes of the documents as BSON, and',
    'bytes of their entries in indexes, which are the affair of the server.',
    '',
    ...storedLines(results),
    '',
    'Operations on MongoDB for 1,000 deliveries; what is below 1 in all scenarios is left out.',
    '',
    ...operationLines(results),
  ].join('\n');
}

function columnsOf(results: readonly StackResult[], columns: readonly Column[]): string[] {
  return table([
    ['setup', 'scenario', ...columns.map(({ title }) => title)],
    ...results.map(({ setup, scenario, rounds }) => [
      describeSetup(setup),
      scenario.name,
      ...columns.map(({ figure, digits }) => fixed(median(rounds.map(figure)), digits)),
    ]),
  ]);
}

function storedLines(results: readonly StackResult[]): string[] {
  const rows = unique(results.map(({ scenario }) => scenario.name)).flatMap((scenario) => {
    const rounds = results
      .filter((result) => result.scenario.name === scenario)
      .flatMap((result) => result.rounds);
    const kafka = median(rounds.map((round) => round.kafkaBytesPerEvent));
    const growth = rounds.flatMap((round) => round.growth ?? []);
    return [
      [scenario, 'Kafka', '', fixed(kafka, 0), ''],
      ...unique(growth.map(({ collection }) => collection)).map((collection) => {
        const mine = growth.filter((each) => each.collection === collection);
        return [
          scenario,
          collection,
          fixed(median(mine.map((each) => each.documentsPerDelivery)), 2),
          fixed(median(mine.map((each) => each.bytesPerDocument)), 0),
          fixed(median(mine.map((each) => each.indexBytesPerDocument)), 0),
        ];
      }),
    ];
  });
  return table([['scenario', '', 'documents/delivery', 'bytes each', 'index bytes each'], ...rows]);
}

function operationLines(results: readonly StackResult[]): string[] {
  const scenarios = unique(results.map(({ scenario }) => scenario.name));
  const rows = unique(results.map(({ setup }) => describeSetup(setup))).flatMap((setup) => {
    const ofSetup = results.filter((result) => describeSetup(result.setup) === setup);
    const names = unique(ofSetup.flatMap(({ rounds }) => rounds.flatMap((m) => Object.keys(m.operations))));
    return names.sort().flatMap((name) => {
      const counts = scenarios.map((scenario) => {
        const rounds = ofSetup.filter((result) => result.scenario.name === scenario).flatMap((r) => r.rounds);
        return median(rounds.map(({ operations }) => operations[name] ?? 0));
      });
      return counts.some((count) => (count ?? 0) >= 1)
        ? [[setup, name, ...counts.map((count) => fixed(count, 1))]]
        : [];
    });
  });
  return table([['setup', 'operation', ...scenarios], ...rows]);
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
