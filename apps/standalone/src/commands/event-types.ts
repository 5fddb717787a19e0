/** `posthorn event-types …`: the organisation's catalogue. */
import { enforcements } from '@posthorn/models';
import { Option, type Command } from 'commander';
import { readJson } from '../arguments.ts';
import type { Output } from '../terminal/output.ts';
import type { EventTypeResource } from '../client/resources.ts';
import { examples } from '../root-command.ts';
import type { WithSession } from '../session.ts';
import { addListOptions, listLimit, type ListOptions } from './list-options.ts';

interface PutOptions {
  readonly description?: string;
  readonly schema?: string;
  readonly enforcement?: string;
  readonly retired?: true;
}

export function addEventTypeCommands(root: Command, withSession: WithSession): void {
  const eventTypes = root
    .command('event-types')
    .description('list, show, put and delete event types')
    .addHelpText(
      'after',
      examples(
        'posthorn event-types put order.paid --description "An order was paid" --schema @order-paid.json --enforcement reject',
        'posthorn event-types list',
      ),
    );

  addListOptions(eventTypes.command('list').description('list the catalogue')).action(
    withSession(async ({ api, output }, options: ListOptions) => {
      await output.list(
        api.list<EventTypeResource>('/v1/event-types', { limit: listLimit(options) }),
        [
          { header: 'NAME', value: ({ name }) => name },
          { header: 'SCHEMA', value: ({ schema }) => (schema === null ? 'none' : 'yes') },
          { header: 'ENFORCEMENT', value: ({ enforcement }) => enforcement },
          { header: 'RETIRED', value: ({ retired }) => (retired ? 'yes' : 'no') },
          { header: 'DESCRIPTION', value: ({ description }) => description, flexible: true },
        ],
        'The catalogue is empty: any event type may be published.',
      );
    }),
  );

  eventTypes
    .command('show')
    .description('show an event type with its schema')
    .argument('<name>', 'such as order.paid')
    .action(
      withSession(async ({ api, output }, name: string) => {
        const eventType = await api.send<EventTypeResource>('GET', pathOf(name));
        await output.item(eventType, (shown) => eventTypeLines(shown, output));
      }),
    );

  eventTypes
    .command('put')
    .description('create an event type, or replace it whole')
    .argument('<name>', 'such as order.paid')
    .option('--description <text>', 'when it is published')
    .option('--schema <json>', 'JSON Schema of its payload: JSON, @file, or - for standard input')
    .addOption(
      new Option('--enforcement <mode>', 'what happens to a payload that breaks the schema').choices(
        enforcements,
      ),
    )
    .option('--retired', 'it can no longer be published')
    .action(
      withSession(
        async (
          { api, output, io },
          name: string,
          { description, schema, enforcement, retired }: PutOptions,
        ) => {
          const body = {
            description,
            enforcement,
            retired,
            schema: schema === undefined ? undefined : await readJson(schema, 'The schema', io),
          };
          const eventType = await api.send<EventTypeResource>('PUT', pathOf(name), { body });
          await output.item(eventType, (shown) => eventTypeLines(shown, output));
        },
      ),
    );

  eventTypes
    .command('delete')
    .description('take an event type out of the catalogue')
    .argument('<name>', 'such as order.paid')
    .action(
      withSession(async ({ api, output }, name: string) => {
        await api.send('DELETE', pathOf(name));
        output.note(`Deleted event type ${name}.`);
      }),
    );
}

function pathOf(name: string): string {
  return `/v1/event-types/${encodeURIComponent(name)}`;
}

function eventTypeLines(eventType: EventTypeResource, output: Output): string[] {
  const { name, description, enforcement, retired, schema } = eventType;
  return [
    ...output.fields({ name, description, enforcement, retired }),
    ...(schema === null ? [] : ['', ...JSON.stringify(schema, null, 2).split('\n')]),
  ];
}
