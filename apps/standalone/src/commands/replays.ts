/** `posthorn replays …`: sending many deliveries again, as jobs. */
import { jobStates, type DeliveryState } from '@posthorn/models';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { collect, moment, wholeNumber, type Moment } from '../arguments.ts';
import { CliError, exitCodes } from '../exit-codes.ts';
import type { ReplayResource } from '../client/resources.ts';
import { examples } from '../root-command.ts';
import type { WithSession } from '../session.ts';
import { deliveryStateOption } from './delivery-state-option.ts';
import { addListOptions, listLimit, type ListOptions } from './list-options.ts';
import { followReplay, replayColumns, replayLines, replayPath, showNewReplay } from './replay-view.ts';

/** What a replay and a retry of many have in common. */
export interface PacingOptions {
  readonly perSecond?: number;
  readonly dryRun?: true;
  readonly follow?: true;
}

interface CreateOptions extends PacingOptions {
  readonly endpoint?: string;
  readonly event?: string;
  readonly eventType?: readonly string[];
  readonly state?: readonly DeliveryState[];
  readonly statusClass?: number;
  readonly since?: Moment;
  readonly until?: Moment;
  readonly includeUnmatched?: true;
}

export function addReplayCommands(root: Command, withSession: WithSession): void {
  const replays = root
    .command('replays')
    .description('send many deliveries again: create, list, show and cancel replays')
    .addHelpText(
      'after',
      examples(
        'posthorn replays create --endpoint shop --since 2h --dry-run',
        'posthorn replays create --endpoint shop --since 2h --per-second 50 --follow',
        'posthorn replays create --endpoint shop --since 30d --include-unmatched',
        'posthorn replays list --state running',
      ),
    );

  addPacingOptions(
    replays
      .command('create')
      .description('send again what failed, was exhausted or is held, in the order of its events')
      .option('--endpoint <endpoint>', 'only to this one (id or uid)')
      .option('--since <time>', 'of events accepted since (RFC 3339, or an age such as 2h)', moment)
      .option('--until <time>', 'of events accepted before', moment)
      .addOption(deliveryStateOption())
      .option('--event <id>', 'only of this event')
      .option('--event-type <type>', 'only of this event type, or pattern; may be repeated', collect)
      .option('--status-class <n>', 'last answered 2xx (2), 4xx (4), …', wholeNumber(1, 5))
      .option('--include-unmatched', 'also what the endpoint wants now and has no delivery of'),
  ).action(
    withSession(async (session, { follow, ...options }: CreateOptions) => {
      const { endpoint, event, since, includeUnmatched } = options;
      if (endpoint === undefined && event === undefined && since === undefined) {
        throw new CliError(exitCodes.usage, 'Say which: --endpoint, --event or --since.');
      }
      const { clock } = session.io;
      const replay = await session.api.send<ReplayResource>('POST', '/v1/replays', {
        body: {
          endpoint,
          eventId: event,
          since: since?.at(clock),
          until: options.until?.at(clock),
          states: options.state,
          eventTypes: options.eventType,
          statusClass: statusClassName(options.statusClass),
          includeUnmatched,
          perSecond: options.perSecond,
          dryRun: options.dryRun,
        },
      });
      await showNewReplay(session, replay, { follow });
    }),
  );

  addListOptions(replays.command('list').description('list replays and retries of many, newest first'))
    .addOption(replayStateOption())
    .action(
      withSession(async ({ api, output }, options: ListOptions & { state?: readonly string[] }) => {
        const found = api.list<ReplayResource>('/v1/replays', {
          limit: listLimit(options),
          query: { state: options.state },
        });
        await output.list(found, replayColumns(), 'There are no such replays.');
      }),
    );

  replays
    .command('show')
    .alias('get')
    .description('show a replay and how far it is')
    .argument('<replay>', 'id')
    .option('--follow', 'wait until it ends')
    .action(
      withSession(async (session, id: string, { follow }: { follow?: true }) => {
        const { api, output } = session;
        const replay = await api.send<ReplayResource>('GET', replayPath(id));
        const shown = follow ? await followReplay(session, replay) : replay;
        await output.item(shown, () => replayLines(shown, output));
      }),
    );

  replays
    .command('cancel')
    .description('set nothing more going; what was goes out')
    .argument('<replay>', 'id')
    .action(
      withSession(async ({ api, output }, id: string) => {
        const replay = await api.send<ReplayResource>('POST', replayPath(id, 'cancel'));
        await output.item(replay, () => replayLines(replay, output));
      }),
    );
}

/** Adds how fast, whether at all, and whether to wait for it. */
export function addPacingOptions(command: Command): Command {
  return command
    .option('--per-second <n>', 'as many in a second at most', wholeNumber(1, 10_000))
    .option('--dry-run', 'only count')
    .option('--follow', 'show how far it is until it ends; Ctrl-C leaves it running');
}

/** The API's name of `5` for 5xx. */
export function statusClassName(digit: number | undefined): string | undefined {
  return digit === undefined ? undefined : `${digit}xx`;
}

function replayStateOption() {
  return new Option('--state <state>', 'only these; may be repeated').argParser(
    (text: string, previous: readonly string[] | undefined): readonly string[] => {
      if (!jobStates.some((known) => known === text)) {
        throw new InvalidArgumentError(`There are ${jobStates.join(', ')}.`);
      }
      return [...(previous ?? []), text];
    },
  );
}
