/** The `posthorn` command itself: the options that every command takes, and how its help looks. */
import { Command, Option } from 'commander';
import { httpUrl } from './arguments.ts';
import type { ConnectionOptions } from './config.ts';
import { exitCodesHelp } from './exit-codes.ts';
import type { Io } from './terminal/io.ts';
import { styleFor } from './terminal/output.ts';

/** Options of every command that talks to the API; the environment has what isn't given. */
export interface GlobalOptions extends ConnectionOptions {
  readonly json?: true | undefined;
}

/** Makes the root. A wrong command line and `--help` end `parseAsync` with a CommanderError instead of the process. */
export function createRootCommand(io: Io, version: string): Command {
  const style = styleFor(io.stdout, io.env);
  return new Command('posthorn')
    .description(
      'Posthorn delivers webhooks: publish an event once, and every endpoint that asked for it gets it.',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addOption(
      new Option(
        '--url <url>',
        'where the platform listens (POSTHORN_URL, else http://127.0.0.1:8080)',
      ).argParser(httpUrl),
    )
    .option(
      '--key <key>',
      "API key; better given as POSTHORN_KEY, where other users of the machine can't see it",
    )
    .option('--organisation <id or slug>', 'whom an operator key acts for (POSTHORN_ORGANISATION)')
    .option('--json', 'JSON for programs: one value, or a line for each item of a list')
    .exitOverride()
    .showHelpAfterError('(add --help for what there is)')
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      getOutHelpWidth: () => (io.stdout.isTTY && io.stdout.columns) || 110,
      getErrHelpWidth: () => (io.stderr.isTTY && io.stderr.columns) || 110,
      getOutHasColors: () => io.stdout.isTTY === true,
    })
    .configureHelp({ showGlobalOptions: true, styleTitle: (title) => style('bold', title) })
    .addHelpText('afterAll', exitCodesHelp);
}

/** Examples for the end of a command's help. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`;
}
