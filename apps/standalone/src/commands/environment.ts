/** `posthorn environment`: the variables that configure the platform and the command line; docs/configuration.md is made of it. */
import { describeConfig, type ConfigDescription } from '@posthorn/runtime';
import type { Command } from 'commander';
import { clientConfig } from '../config.ts';
import type { Io } from '../terminal/io.ts';
import { createOutput } from '../terminal/output.ts';
import { examples, type GlobalOptions } from '../root-command.ts';

interface Variable extends ConfigDescription {
  /** Who reads it. */
  readonly of: 'serve' | 'client';
}

export function addEnvironmentCommand(root: Command, io: Io): void {
  root
    .command('environment')
    .description('list the environment variables, what they mean and their defaults')
    .addHelpText('after', examples('posthorn environment', 'posthorn environment --json'))
    .action(async (_options: object, command: Command) => {
      const { serveConfig } = await import('../serve-config.ts');
      const variables: readonly Variable[] = [
        ...describeConfig(serveConfig).map((variable) => ({ ...variable, of: 'serve' as const })),
        ...describeConfig(clientConfig).map((variable) => ({ ...variable, of: 'client' as const })),
      ];
      const output = createOutput(io, { json: command.optsWithGlobals<GlobalOptions>().json === true });
      await output.list(
        variables,
        [
          { header: 'VARIABLE', value: ({ variable }) => variable },
          { header: 'DEFAULT', value: (variable) => variable.default ?? 'must be set' },
          { header: 'MEANING', value: ({ description }) => description, flexible: true },
        ],
        '',
      );
    });
}
