/** The `posthorn` command line: which commands there are, and how each way to end becomes an exit code. */
import { CommanderError, type Command } from 'commander';
import { ConfigError } from '@posthorn/runtime';
import { addDeliveryCommands } from './commands/deliveries.ts';
import { addDemoCommand } from './commands/demo.ts';
import { addEndpointCommands } from './commands/endpoints.ts';
import { addEnvironmentCommand } from './commands/environment.ts';
import { addErasureCommands } from './commands/erase.ts';
import { addEventCommands } from './commands/events.ts';
import { addEventTypeCommands } from './commands/event-types.ts';
import { addFeedCommand } from './commands/feed.ts';
import { addImportCommand } from './commands/import.ts';
import { addAuditCommands } from './commands/audit.ts';
import { addKeyCommands } from './commands/keys.ts';
import { addListenCommand } from './commands/listen.ts';
import { addOrganisationCommands } from './commands/organisations.ts';
import { addPolicyCommands } from './commands/policies.ts';
import { addPublishCommand } from './commands/publish.ts';
import { addReplayCommands } from './commands/replays.ts';
import { addRotateEncryptionKeyCommand } from './commands/rotate-encryption-key.ts';
import { addServeCommand } from './commands/serve.ts';
import { CliError, exitCodes, type ExitCode } from './exit-codes.ts';
import { processIo, type Io } from './terminal/io.ts';
import { styleFor } from './terminal/output.ts';
import { createRootCommand, examples } from './root-command.ts';
import { createWithSession } from './session.ts';
import { version } from './version.ts';

/** Runs one command line; resolves with its exit code and never rejects. */
export async function runCli(argv: readonly string[], io: Io = processIo()): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.ok;
  const root = createProgram(io, (code) => {
    exitCode = code;
  });
  try {
    await root.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    if (error instanceof ConfigError) {
      io.stderr.write(`${error.message}\n`);
      return exitCodes.usage;
    }
    if (io.signal.aborted) return exitCodes.interrupted;
    report(error, io, argv.includes('--json'));
    return error instanceof CliError ? error.exitCode : exitCodes.failure;
  }
}

function createProgram(io: Io, setExitCode: (code: ExitCode) => void): Command {
  const root = createRootCommand(io, version);
  const withSession = createWithSession(io, setExitCode);
  root.commandsGroup('Run and try out:');
  addDemoCommand(root, io, setExitCode);
  addServeCommand(root, io);
  addListenCommand(root, withSession);
  addEnvironmentCommand(root, io);
  root.commandsGroup('Publish and follow:');
  addPublishCommand(root, withSession);
  addEventCommands(root, withSession);
  addDeliveryCommands(root, withSession);
  addReplayCommands(root, withSession);
  addFeedCommand(root, withSession);
  addErasureCommands(root, withSession);
  root.commandsGroup('Configure:');
  addEndpointCommands(root, withSession);
  addPolicyCommands(root, withSession);
  addEventTypeCommands(root, withSession);
  addOrganisationCommands(root, withSession);
  addKeyCommands(root, withSession);
  addAuditCommands(root, withSession);
  addImportCommand(root, withSession);
  addRotateEncryptionKeyCommand(root, withSession);
  root.addHelpText(
    'after',
    examples(
      'posthorn demo',
      'posthorn serve',
      'posthorn endpoints create https://example.com/hooks --event-type order.*',
      `posthorn publish order.paid '{"orderId":42}'`,
      'posthorn deliveries tail',
    ),
  );
  return root;
}

/** Failures go to standard error: a JSON object for programs; for people what is wrong, and below it each detail. */
function report(error: unknown, io: Io, json: boolean): void {
  const failure =
    error instanceof CliError
      ? error
      : new CliError(
          exitCodes.failure,
          error instanceof Error ? (error.stack ?? error.message) : String(error),
        );
  if (json) {
    io.stderr.write(`${JSON.stringify(failure)}\n`);
    return;
  }
  const style = styleFor(io.stderr, io.env);
  io.stderr.write([`${style('red', 'error:')} ${failure.message}`, ...failure.details, ''].join('\n'));
}
