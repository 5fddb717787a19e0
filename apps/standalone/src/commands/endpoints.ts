/** `posthorn endpoints …`: where events go, and how. */
import { dialects, endpointStates } from '@posthorn/models';
import { Option, type Command } from 'commander';
import { httpUrl, wholeNumber } from '../arguments.ts';
import type { EndpointResource } from '../client/resources.ts';
import { examples } from '../root-command.ts';
import type { WithSession } from '../session.ts';
import { addEndpointActions } from './endpoint-actions.ts';
import { addEndpointSettings, endpointSettings, type EndpointSettingsOptions } from './endpoint-settings.ts';
import { endpointColumns, endpointLines, endpointPath } from './endpoint-view.ts';
import { addListOptions, listLimit, type ListOptions } from './list-options.ts';

export function addEndpointCommands(root: Command, withSession: WithSession): void {
  const endpoints = root
    .command('endpoints')
    .description('list, show, create, change, try out and delete endpoints')
    .addHelpText(
      'after',
      `${examples(
        'posthorn endpoints create https://example.com/hooks --event-type order.* --label region=eu,us',
        `posthorn endpoints update shop --filter '{"total":{"$gte":100}}'`,
        'posthorn endpoints pause shop',
        'posthorn endpoints create https://example.com/hooks --dialect xurrent --policy 7',
        'posthorn endpoints verify shop',
        'posthorn endpoints rotate-secret shop --overlap-ms 3600000',
        'posthorn endpoints list --state disabled --json',
      )}\n\nAn endpoint is named by its id or its uid.`,
    );

  addListOptions(endpoints.command('list').description('list endpoints, newest first'))
    .addOption(new Option('--state <state>', 'only these').choices(endpointStates))
    .addOption(new Option('--dialect <dialect>', 'only these').choices(dialects))
    .action(
      withSession(async ({ api, output }, options: ListOptions & { state?: string; dialect?: string }) => {
        const found = api.list<EndpointResource>('/v1/endpoints', {
          limit: listLimit(options),
          query: { state: options.state, dialect: options.dialect },
        });
        await output.list(found, endpointColumns(output), 'There are no endpoints.');
      }),
    );

  endpoints
    .command('show')
    .description('show an endpoint with its health')
    .argument('<endpoint>', 'id or uid')
    .action(
      withSession(async ({ api, output }, name: string) => {
        const endpoint = await api.send<EndpointResource>('GET', endpointPath(name));
        await output.item(endpoint, (shown) => endpointLines(shown, output));
      }),
    );

  addEndpointSettings(
    endpoints
      .command('create')
      .description('create an endpoint and print its signing secret')
      .argument('<url>', 'where to deliver to', httpUrl),
  )
    .addOption(
      new Option('--dialect <dialect>', 'the API that it belongs to; standard when absent').choices(dialects),
    )
    .option('--secret <secret>', 'a signing secret of your own (whsec_…, or any text for a dialect)')
    .action(
      withSession(
        async (
          { api, output, io },
          url: string,
          { secret, dialect, ...settings }: EndpointSettingsOptions & { secret?: string; dialect?: string },
        ) => {
          const body = { ...(await endpointSettings(settings, io)), url, secret, dialect };
          const endpoint = await api.send<EndpointResource>('POST', '/v1/endpoints', { body });
          await output.item(endpoint, (shown) => endpointLines(shown, output));
        },
      ),
    );

  addEndpointSettings(
    endpoints
      .command('update')
      .description('change an endpoint: what is not given stays as it is')
      .argument('<endpoint>', 'id or uid'),
  )
    .option('--new-url <url>', 'where to deliver to from now on', httpUrl)
    .option('--if-version <n>', 'only if it is still this version', wholeNumber(1))
    .action(
      withSession(
        async (
          { api, output, io },
          name: string,
          {
            newUrl,
            ifVersion,
            ...settings
          }: EndpointSettingsOptions & { newUrl?: string; ifVersion?: number },
        ) => {
          const body = { ...(await endpointSettings(settings, io)), url: newUrl };
          const endpoint = await api.send<EndpointResource>('PATCH', endpointPath(name), {
            body,
            contentType: 'application/merge-patch+json',
            ...(ifVersion !== undefined && { headers: { 'if-match': `"${ifVersion}"` } }),
          });
          await output.item(endpoint, (shown) => endpointLines(shown, output));
        },
      ),
    );

  endpoints
    .command('delete')
    .description('delete an endpoint; what waits for it is cancelled')
    .argument('<endpoint>', 'id or uid')
    .action(
      withSession(async ({ api, output }, name: string) => {
        await api.send('DELETE', endpointPath(name));
        output.note(`Deleted endpoint ${name}.`);
      }),
    );

  addEndpointActions(endpoints, withSession);
}
