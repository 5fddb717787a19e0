/** The command line of `npm run bench:stack`. */
import { parseArgs } from 'node:util';
import type { LoadLanguage } from '../load-tools.ts';
import { language, orUsage, positive, whole } from '../option-values.ts';
import type { Scenario } from '../scenarios.ts';
import { stackScenarios } from './setups.ts';
import type { Setup } from './setups.ts';

export interface StackBenchOptions {
  readonly setups: readonly Setup[];
  readonly scenarios: readonly Scenario[];
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly json: string | undefined;
  readonly load: LoadLanguage | undefined;
}

const standardRate = 100;
const usage = `usage: npm run bench:stack -- [options]

Measures the four services over a real Kafka and a MongoDB: those that POSTHORN_TEST_KAFKA_BROKERS and
POSTHORN_TEST_MONGODB_URL name, else Docker's official images, else Kafka from Maven Central and secantusd-rs in place
of MongoDB. Which they were is printed, and belongs to every figure.

  --dispatchers LIST how many dispatchers, one measurement for each number, with commas between them (1,2)
  --partitions LIST  of the topic: measured with each number (12)
  --only NAMES       these scenarios only, with commas between them
  --rate N           events a second of the scenario rate (${standardRate})
  --quick            one round, 3 s, 1 s of warm-up: about two minutes
  --rounds N         how often each is measured; medians are shown (2)
  --seconds N        how much is published: about what the platform does in so many seconds (6)
  --warm-up N        the same, before it counts (2)
  --json FILE        all figures of all rounds, for programs
  --load go|node     which load generator and receiver (Go where it is installed)

scenarios:
${stackScenarios(standardRate)
  .map(({ name, title }) => `  ${name.padEnd(16)} ${title}`)
  .join('\n')}`;

/** Undefined when there is nothing to do but to end with the exit code that is set. */
export function readStackOptions(args: readonly string[]): StackBenchOptions | undefined {
  return orUsage(usage, () => {
    const { values } = parseArgs({
      args: [...args],
      options: {
        dispatchers: { type: 'string', default: '1,2' },
        partitions: { type: 'string', default: '12' },
        only: { type: 'string' },
        rate: { type: 'string', default: String(standardRate) },
        quick: { type: 'boolean', default: false },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        'warm-up': { type: 'string' },
        json: { type: 'string' },
        load: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      console.log(usage);
      return undefined;
    }
    const given = (name: 'rounds' | 'seconds' | 'warm-up', quick: number, standard: number): string =>
      values[name] ?? String(values.quick ? quick : standard);
    const numbers = (name: 'dispatchers' | 'partitions'): number[] =>
      values[name].split(',').map((text) => whole(`--${name}`, text));
    return {
      setups: numbers('partitions').flatMap((partitions) =>
        numbers('dispatchers').map((dispatchers) => ({ dispatchers, partitions })),
      ),
      scenarios: chosen(stackScenarios(positive('--rate', values.rate)), values.only),
      rounds: whole('--rounds', given('rounds', 1, 2)),
      seconds: positive('--seconds', given('seconds', 3, 6)),
      warmUpSeconds: positive('--warm-up', given('warm-up', 1, 2)),
      json: values.json,
      load: language(values.load),
    };
  });
}

function chosen(all: readonly Scenario[], names: string | undefined): readonly Scenario[] {
  return (names?.split(',') ?? all.map(({ name }) => name)).map((name) => {
    const found = all.find((each) => each.name === name);
    if (found === undefined) throw new Error(`There is no scenario ${name}.`);
    return found;
  });
}
