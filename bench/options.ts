/** The command line of `npm run bench`. */
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import type { LoadLanguage } from './load-tools.ts';
import { language, orUsage, positive, whole } from './option-values.ts';
import { scenarios } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';

export interface BenchOptions {
  readonly scenarios: readonly Scenario[];
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly json: string | undefined;
  readonly enforce: boolean;
  readonly load: LoadLanguage | undefined;
  /** Where databases are kept while they are measured. */
  readonly directory: string;
  /** A directory for CPU profiles of the servers. */
  readonly profiles: string | undefined;
}

const usage = `usage: npm run bench -- [options]

Measures the standalone platform and, in turns, the bare loop: the least that any such program must do.

  --only NAMES       these scenarios only, with commas between them
  --quick            one round, 3 s, 1 s of warm-up: under two minutes
  --rounds N         how often each is measured; medians are shown (3)
  --seconds N        how much is published: about what the platform does in so many seconds (5)
  --warm-up N        the same, before it counts (2)
  --dir DIR          where the databases are while it runs: on a disk as in production (${tmpdir()})
  --json FILE        all figures of all rounds, for programs
  --enforce          exit code 1 when a target is missed, which on a busy machine may be noise
  --load go|node     which load generator and receiver (Go where it is installed)
  --cpu-prof DIR     a CPU profile of every server, and where its time went (slower: not for comparing)

scenarios:
${scenarios.map(({ name, title }) => `  ${name.padEnd(16)} ${title}`).join('\n')}`;

/** Undefined when there is nothing to do but to end with the exit code that is set. */
export function readOptions(args: readonly string[]): BenchOptions | undefined {
  return orUsage(usage, () => {
    const { values } = parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        quick: { type: 'boolean', default: false },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        'warm-up': { type: 'string' },
        dir: { type: 'string', default: tmpdir() },
        json: { type: 'string' },
        enforce: { type: 'boolean', default: false },
        load: { type: 'string' },
        'cpu-prof': { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      console.log(usage);
      return undefined;
    }
    const given = (name: 'rounds' | 'seconds' | 'warm-up', quick: number, standard: number): string =>
      values[name] ?? String(values.quick ? quick : standard);
    return {
      scenarios: values.only === undefined ? scenarios : values.only.split(',').map(scenarioNamed),
      rounds: whole('--rounds', given('rounds', 1, 3)),
      seconds: positive('--seconds', given('seconds', 3, 5)),
      warmUpSeconds: positive('--warm-up', given('warm-up', 1, 2)),
      directory: values.dir,
      json: values.json,
      enforce: values.enforce,
      load: language(values.load),
      profiles: values['cpu-prof'],
    };
  });
}

function scenarioNamed(name: string): Scenario {
  const found = scenarios.find((each) => each.name === name);
  if (found === undefined) throw new Error(`There is no scenario ${name}.`);
  return found;
}
