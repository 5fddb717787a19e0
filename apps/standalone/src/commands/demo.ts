/** `posthorn demo`. */
import type { Command } from 'commander';
import { wholeNumber } from '../arguments.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../terminal/io.ts';
import { examples, type GlobalOptions } from '../root-command.ts';

export function addDemoCommand(root: Command, io: Io, setExitCode: (code: ExitCode) => void): void {
  root
    .command('demo')
    .description('see the main job in under a minute: publish, sign, deliver, retry, verify')
    .option('--events <n>', 'how many events to publish', wholeNumber(10, 100_000), 300)
    .addHelpText(
      'after',
      `${examples('posthorn demo', 'posthorn demo --events 2000 --json')}

Starts the platform in this process on a temporary SQLite file, makes an organisation, a key and endpoints, publishes, and shows
what was delivered, retried and verified (with the npm package standardwebhooks). Exit code 1: something was not.`,
    )
    .action(async ({ events }: { events: number }, command: Command) => {
      const { demo } = await import('../demo/demo.ts');
      setExitCode(await demo({ events, json: command.optsWithGlobals<GlobalOptions>().json === true }, io));
    });
}
