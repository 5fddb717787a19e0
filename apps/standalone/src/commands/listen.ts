/** `posthorn listen`. */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { decodeSecret } from '@posthorn/signing';
import { collect, httpUrl, wholeNumber } from '../arguments.ts';
import { CliError, exitCodes } from '../exit-codes.ts';
import { listen } from '../listen/listen.ts';
import { examples } from '../root-command.ts';
import type { WithSession } from '../session.ts';

interface ListenCommandOptions {
  readonly port: number;
  readonly host: string;
  readonly secret?: readonly string[];
  readonly forward?: string;
  readonly status: number;
  readonly failFirst: number;
  readonly count?: number;
  readonly register?: true | string;
  readonly eventType?: readonly string[];
}

export function addListenCommand(root: Command, withSession: WithSession): void {
  root
    .command('listen')
    .description('receive webhooks on this machine, verify and print them, until Ctrl-C')
    .option('--port <port>', 'port to listen on; 0 for any free one', wholeNumber(0, 65_535), 0)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--secret <secret>', 'what to verify with (whsec_…, whpk_…); may be repeated', collectSecrets)
    .option('--status <n>', 'answer with this status', wholeNumber(200, 599), 200)
    .option('--fail-first <n>', 'answer 503 to so many requests first', wholeNumber(0), 0)
    .option('--forward <url>', 'pass requests on to this URL and answer what it answers', httpUrl)
    .option('--count <n>', 'end after so many requests', wholeNumber(1))
    .option(
      '--register [url]',
      'make an endpoint for this receiver, verify with its secret, and delete it at the end; with the URL that the platform reaches it at, when that is another one',
    )
    .option('--event-type <pattern>', 'with --register: only these; may be repeated', collect)
    .addHelpText(
      'after',
      `${examples(
        'posthorn listen --register',
        'posthorn listen --port 9000 --secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
        'posthorn listen --register --event-type order.* --fail-first 3',
        'posthorn listen --register --forward http://127.0.0.1:3000/hooks',
      )}

With a secret, a request whose signature is wrong is answered 401, and the exit code is 1. The platform delivers to this machine
only if POSTHORN_ALLOW_TARGETS says so: POSTHORN_ALLOW_TARGETS=127.0.0.0/8 posthorn serve`,
    )
    .action(
      withSession(
        (session, options: ListenCommandOptions) => {
          if (options.eventType && !options.register) {
            throw new CliError(exitCodes.usage, '--event-type is for --register.');
          }
          return listen(session, {
            host: options.host,
            port: options.port,
            secrets: options.secret ?? [],
            forward: options.forward ?? null,
            status: options.status,
            failFirst: options.failFirst,
            count: options.count ?? null,
            register: options.register
              ? {
                  url: options.register === true ? null : httpUrl(options.register),
                  eventTypes: options.eventType ?? null,
                }
              : null,
          });
        },
        // The endpoint is deleted after Ctrl-C.
        { finishRequests: true },
      ),
    );
}

function collectSecrets(text: string, previous: readonly string[] | undefined): readonly string[] {
  try {
    decodeSecret(text, 'whsec', 'whpk', 'whsk');
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
  return collect(text, previous);
}
