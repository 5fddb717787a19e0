/** `posthorn serve`. */
import type { Command } from 'commander';
import type { ServeOptions } from '../serve-config.ts';
import type { Io } from '../terminal/io.ts';
import { examples } from '../root-command.ts';

export function addServeCommand(root: Command, io: Io): void {
  root
    .command('serve')
    .description('run the whole platform in this process, on a SQLite file')
    .option('--port <port>', 'port to listen on; 0 for any free one (POSTHORN_PORT, else 8080)')
    .option('--host <address>', 'address to listen on (POSTHORN_HOST, else 127.0.0.1)')
    .option('--data-dir <path>', 'where everything is kept (POSTHORN_DATA_DIR, else ./data)')
    .option('--check-config', 'only check the configuration: prints every problem, or that there is none')
    .addHelpText(
      'after',
      `${examples(
        'posthorn serve',
        'POSTHORN_ALLOW_TARGETS=127.0.0.0/8 posthorn serve --port 9000 --data-dir /var/lib/posthorn',
        'posthorn serve --check-config',
      )}

The rest is configured by the environment: see docs/configuration.md. Prints "listening on http://host:port" when it is ready
and, on the first start only, an operator key. The log goes to standard error. SIGTERM or Ctrl-C stop it without loss, within
POSTHORN_STOP_TIMEOUT_MS.`,
    )
    .action(async (options: ServeOptions) => {
      // Loaded when it is needed: the other commands start faster without the platform.
      const { serve } = await import('../serve.ts');
      await serve(options, io);
    });
}
