/** The command line of `npm run bench:backlog`. */
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import type { LoadLanguage } from '../load-tools.ts';
import { language, orUsage, whole } from '../option-values.ts';

const platforms = ['embedded', 'services'] as const;

export interface BacklogOptions {
  readonly on: (typeof platforms)[number];
  /** As many as the platform says, when absent. */
  readonly deliveries: number | undefined;
  readonly rate: number;
  readonly seconds: number;
  /** Where the embedded database is while it is measured. */
  readonly directory: string;
  readonly load: LoadLanguage | undefined;
}

const usage = `usage: npm run bench:backlog -- [options]

What many deliveries that wait for one dead endpoint cost everybody else: the same events to another endpoint, of another
organisation, before they are there and after.

  --on PLATFORM      embedded: one process on SQLite. services: the four, over the servers that
                     POSTHORN_TEST_KAFKA_BROKERS and POSTHORN_TEST_MONGODB_URL name, else as bench:stack has them (embedded)
  --deliveries N     how many wait (1000000; 20000 where secantusd-rs is in place of MongoDB)
  --rate N           events a second to the endpoint that answers (100)
  --seconds N        for how long, each time (20)
  --dir DIR          where the embedded database is while it runs: on a disk as in production (${tmpdir()})
  --load go|node     which load generator and receiver (Go where it is installed)`;

/** Undefined when there is nothing to do but to end with the exit code that is set. */
export function readBacklogOptions(args: readonly string[]): BacklogOptions | undefined {
  return orUsage(usage, () => {
    const { values } = parseArgs({
      args: [...args],
      options: {
        on: { type: 'string', default: 'embedded' },
        deliveries: { type: 'string' },
        rate: { type: 'string', default: '100' },
        seconds: { type: 'string', default: '20' },
        dir: { type: 'string', default: tmpdir() },
        load: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      console.log(usage);
      return undefined;
    }
    const on = platforms.find((name) => name === values.on);
    if (on === undefined) throw new Error(`--on takes ${platforms.join(' or ')}.`);
    const { deliveries } = values;
    return {
      on,
      deliveries: deliveries === undefined ? undefined : whole('--deliveries', deliveries),
      rate: whole('--rate', values.rate),
      seconds: whole('--seconds', values.seconds),
      directory: values.dir,
      load: language(values.load),
    };
  });
}
