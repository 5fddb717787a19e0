/** `posthorn deliveries …`: what became of each event at each endpoint. */
import type { DeliveryState } from '@posthorn/models';
import type { Command } from 'commander';
import { moment, wholeNumber, type Moment } from '../arguments.ts';
import { CliError, exitCodes } from '../exit-codes.ts';
import type { AttemptResource, DeliveryResource, ReplayResource } from '../client/resources.ts';
import { examples } from '../root-command.ts';
import type { Session, WithSession } from '../session.ts';
import { attemptColumns, attemptLines, deliveryColumns, deliveryLines } from './attempt-view.ts';
import { deliveryStateOption } from './delivery-state-option.ts';
import { forEachId } from './for-each-id.ts';
import { addListOptions, listLimit, type ListOptions } from './list-options.ts';
import { showNewReplay } from './replay-view.ts';
import { addPacingOptions, statusClassName, type PacingOptions } from './replays.ts';
import { tailDeliveries, type TailDeliveriesOptions } from './tail.ts';

interface DeliveryFilters {
  readonly state?: readonly DeliveryState[];
  readonly endpoint?: string;
  readonly event?: string;
  readonly eventType?: string;
  readonly statusClass?: number;
  readonly after?: Moment;
  readonly before?: Moment;
}

export function addDeliveryCommands(root: Command, withSession: WithSession): void {
  const deliveries = root
    .command('deliveries')
    .description('list, show, follow, retry and cancel deliveries')
    .addHelpText(
      'after',
      examples(
        'posthorn deliveries list --state failed --state exhausted --after 24h',
        'posthorn deliveries show 0192f3c4-…',
        'posthorn deliveries tail --endpoint 0192f3c4-…',
        'posthorn deliveries retry 0192f3c4-…',
        'posthorn deliveries retry --state exhausted --status-class 5 --after 24h --follow',
      ),
    );

  addFilters(addListOptions(deliveries.command('list').description('list deliveries, newest first'))).action(
    withSession(async ({ api, output, io }, options: DeliveryFilters & ListOptions) => {
      const found = api.list<DeliveryResource>('/v1/deliveries', {
        limit: listLimit(options),
        query: {
          state: options.state,
          endpointId: options.endpoint,
          eventId: options.event,
          eventType: options.eventType,
          statusClass: statusClassName(options.statusClass),
          after: options.after?.at(io.clock),
          before: options.before?.at(io.clock),
        },
      });
      await output.list(found, deliveryColumns(output), 'There are no such deliveries.');
    }),
  );

  deliveries
    .command('show')
    .description('show a delivery with its attempts')
    .argument('<delivery>', 'id')
    .option('--verbose', 'with what the receiver answered to each attempt')
    .action(
      withSession(async ({ api, output }, id: string, { verbose }: { verbose?: true }) => {
        const delivery = await api.send<DeliveryResource>('GET', deliveryPath(id));
        const history = await collectAll(
          api.list<AttemptResource>(deliveryPath(id, 'attempts'), { limit: maxShownAttempts }),
        );
        // People read time downwards.
        await output.item({ ...delivery, history }, () => [
          ...deliveryLines(delivery, output),
          '',
          ...(verbose
            ? history.toReversed().flatMap((attempt) => [...attemptLines(attempt, output), ''])
            : output.table(history.toReversed(), attemptColumns(output))),
        ]);
      }),
    );

  deliveries
    .command('tail')
    .description('follow new deliveries and what becomes of them, until Ctrl-C')
    .addOption(deliveryStateOption())
    .option('--endpoint <id>', 'only of this endpoint')
    .option('--event-type <type>', 'only of this event type')
    .option('--after <time>', 'begin with what was created after this; now when absent', moment)
    .action(withSession((session, options: TailDeliveriesOptions) => tailDeliveries(session, options)));

  addPacingOptions(
    addFilters(
      deliveries
        .command('retry')
        .description('attempt deliveries again: those named at once, or all that filters select, as a replay')
        .argument('[deliveries...]', 'ids; none with filters'),
    ),
  ).action(
    withSession(
      async (session, ids: readonly string[], { follow, ...options }: DeliveryFilters & PacingOptions) => {
        const isFiltered = Object.keys(options).length > 0 || follow === true;
        if (isFiltered === ids.length > 0) {
          throw new CliError(exitCodes.usage, 'Give either ids of deliveries, or filters.');
        }
        if (isFiltered) {
          await showNewReplay(session, await retryMany(session, options), { follow });
          return exitCodes.ok;
        }
        return forEachId(session, ids, async (id) => {
          const delivery = await session.api.send<DeliveryResource>('POST', deliveryPath(id, 'retry'));
          await session.output.item(delivery, () => [`retrying ${id}`]);
        });
      },
    ),
  );

  deliveries
    .command('cancel')
    .description('make no further attempt of deliveries that have not ended')
    .argument('<deliveries...>', 'ids')
    .action(
      withSession((session, ids: readonly string[]) =>
        forEachId(session, ids, async (id) => {
          const delivery = await session.api.send<DeliveryResource>('POST', deliveryPath(id, 'cancel'));
          await session.output.item(delivery, () => [`cancelled ${id}`]);
        }),
      ),
    );
}

const maxShownAttempts = 250;

function deliveryPath(id: string, action = ''): string {
  return `/v1/deliveries/${encodeURIComponent(id)}${action && `/${action}`}`;
}

function addFilters(command: Command): Command {
  return command
    .addOption(deliveryStateOption())
    .option('--endpoint <id>', 'only of this endpoint')
    .option('--event <id>', 'only of this event')
    .option('--event-type <type>', 'only of this event type')
    .option('--status-class <n>', 'last answered 2xx (2), 4xx (4), …', wholeNumber(1, 5))
    .option('--after <time>', 'created after (RFC 3339, or an age such as 2h)', moment)
    .option('--before <time>', 'created before', moment);
}

function retryMany(
  { api, io }: Session,
  {
    state,
    endpoint,
    event,
    eventType,
    statusClass,
    after,
    before,
    perSecond,
    dryRun,
  }: DeliveryFilters & PacingOptions,
): Promise<ReplayResource> {
  return api.send<ReplayResource>('POST', '/v1/deliveries/retry', {
    body: {
      state,
      endpointId: endpoint,
      eventId: event,
      eventType,
      statusClass: statusClassName(statusClass),
      after: after?.at(io.clock),
      before: before?.at(io.clock),
      perSecond,
      dryRun,
    },
  });
}

async function collectAll<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
