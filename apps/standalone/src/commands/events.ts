/** `posthorn events …`: what was published. */
import type { Command } from 'commander';
import type { Query } from '../client/api-client.ts';
import { collect, collectPairs, moment, type Moment } from '../arguments.ts';
import type { DeliveryResource, EventResource } from '../client/resources.ts';
import { examples } from '../root-command.ts';
import type { WithSession } from '../session.ts';
import { deliveryColumns } from './attempt-view.ts';
import { bodyLines } from './endpoint-view.ts';
import { eventColumns, eventLines } from './event-view.ts';
import { addListOptions, listLimit, type ListOptions } from './list-options.ts';
import { tailEvents } from './tail.ts';

interface TailFilters {
  readonly type?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly after?: Moment;
}

interface EventFilters extends TailFilters {
  readonly subject?: string;
  readonly idempotencyKey?: string;
  readonly before?: Moment;
}

export function addEventCommands(root: Command, withSession: WithSession): void {
  const events = root
    .command('events')
    .description('list, show, follow and replay events')
    .addHelpText(
      'after',
      examples(
        'posthorn events list --type order.paid --after 1h',
        'posthorn events show 0192f3c4-…',
        'posthorn events payload 0192f3c4-… > order.json',
        'posthorn events replay 0192f3c4-… --endpoint shop',
        'posthorn events tail --json',
      ),
    );

  addListOptions(events.command('list').description('list events, newest first'))
    .option('--type <type>', 'only of this type')
    .option('--label <name=value>', 'only with this label; may be repeated', collectPairs)
    .option('--subject <id>', 'only about this subject')
    .option('--idempotency-key <key>', 'only with this key')
    .option('--after <time>', 'accepted after (RFC 3339, or an age such as 2h)', moment)
    .option('--before <time>', 'accepted before', moment)
    .action(
      withSession(async ({ api, output, io }, options: EventFilters & ListOptions) => {
        const found = api.list<EventResource>('/v1/events', {
          limit: listLimit(options),
          query: {
            ...eventFilters(options),
            subject: options.subject,
            idempotencyKey: options.idempotencyKey,
            after: options.after?.at(io.clock),
            before: options.before?.at(io.clock),
          },
        });
        await output.list(found, eventColumns(), 'There are no such events.');
      }),
    );

  events
    .command('show')
    .description('show an event, its payload and its deliveries')
    .argument('<event>', 'id')
    .action(
      withSession(async ({ api, output }, id: string) => {
        const event = await api.send<EventResource>('GET', eventPath(id));
        if (output.json) return output.item(event, () => []);
        const payload = new TextDecoder().decode(await api.bytes(eventPath(id, 'payload')));
        await output.item(event, () => [...eventLines(event, output), '', ...bodyLines(payload), '']);
        const deliveries = api.list<DeliveryResource>('/v1/deliveries', {
          limit: 250,
          query: { eventId: id },
        });
        await output.list(deliveries, deliveryColumns(output), 'No endpoint wanted it.');
      }),
    );

  events
    .command('payload')
    .description('write the payload, byte for byte as it was published')
    .argument('<event>', 'id')
    .action(
      withSession(async ({ api, io }, id: string) => {
        io.stdout.write(await api.bytes(eventPath(id, 'payload')));
      }),
    );

  events
    .command('replay')
    .description('deliver an event again')
    .argument('<event>', 'id')
    .option('--endpoint <endpoint>', 'only to this one (id or uid); may be repeated', collect)
    .action(
      withSession(async ({ api, output }, id: string, { endpoint }: { endpoint?: readonly string[] }) => {
        const { data } = await api.send<{ data: readonly DeliveryResource[] }>(
          'POST',
          eventPath(id, 'replay'),
          {
            body: { endpoints: endpoint },
          },
        );
        await output.list(data, deliveryColumns(output), 'No endpoint has a delivery of this event.');
      }),
    );

  events
    .command('tail')
    .description('follow new events, until Ctrl-C')
    .option('--type <type>', 'only of this type')
    .option('--label <name=value>', 'only with this label; may be repeated', collectPairs)
    .option('--after <time>', 'begin with what was accepted after this; now when absent', moment)
    .action(
      withSession((session, { after, ...filters }: TailFilters) =>
        tailEvents(session, { after, query: eventFilters(filters) }),
      ),
    );
}

function eventPath(id: string, action = ''): string {
  return `/v1/events/${encodeURIComponent(id)}${action && `/${action}`}`;
}

function eventFilters({ type, label }: Pick<TailFilters, 'type' | 'label'>): Query {
  return { type, label: Object.entries(label ?? {}).map(([name, value]) => `${name}:${value}`) };
}
