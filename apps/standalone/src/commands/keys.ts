/** `posthorn keys …`: API keys of an organisation, or of operators. */
import type { Command } from 'commander';
import { collect, timestamp } from '../arguments.ts';
import type { Output } from '../terminal/output.ts';
import type { KeyResource } from '../client/resources.ts';
import { examples } from '../root-command.ts';
import type { WithSession } from '../session.ts';
import {
  addPublishLimitOptions,
  limitFields,
  publishLimitsOf,
  type PublishLimitOptions,
} from './limit-options.ts';
import { addListOptions, listLimit, type ListOptions } from './list-options.ts';

interface CreateOptions extends PublishLimitOptions {
  readonly scope?: readonly string[];
  readonly expiresAt?: string;
  readonly operator?: true;
  readonly routesTo?: string;
  readonly endpoint?: string;
}

export function addKeyCommands(root: Command, withSession: WithSession): void {
  const keys = root
    .command('keys')
    .description('list, show, create, change and delete API keys')
    .addHelpText(
      'after',
      examples(
        'posthorn keys create "order service" --scope events:write',
        'posthorn --organisation acme keys create admin --scope "*"',
        'posthorn keys update 0192f3c4-… --publishes-per-day 100000',
        'posthorn keys delete 0192f3c4-…',
      ),
    );

  addListOptions(keys.command('list').description('list keys, newest first')).action(
    withSession(async ({ api, output }, options: ListOptions) => {
      await output.list(
        api.list<KeyResource>('/v1/keys', { limit: listLimit(options) }),
        [
          { header: 'ID', value: ({ id }) => id },
          { header: 'PREFIX', value: ({ prefix }) => `${prefix}…` },
          { header: 'NAME', value: ({ name }) => name, flexible: true },
          { header: 'ORGANISATION', value: ({ organisation }) => organisation ?? 'operator' },
          { header: 'SCOPES', value: ({ scopes }) => scopes.join(' '), flexible: true },
          { header: 'LAST USED', value: ({ lastUsedAt }) => lastUsedAt },
        ],
        'There are no keys.',
      );
    }),
  );

  keys
    .command('show')
    .description('show a key; its token is shown by create only')
    .argument('<key>', 'id')
    .action(
      withSession(async ({ api, output }, id: string) => {
        const key = await api.send<KeyResource>('GET', pathOf(id));
        await output.item(key, (shown) => keyLines(shown, output));
      }),
    );

  addPublishLimitOptions(keys.command('create'))
    .description('create a key and print its token, this once')
    .argument('<name>', 'what it is for')
    .option('--scope <scope>', 'what it may do, such as events:write or "*"; may be repeated', collect)
    .option('--expires-at <time>', 'when it stops working (RFC 3339)', timestamp)
    .option('--routes-to <endpoint>', 'the one ricloud endpoint that gets what it publishes, by id or uid')
    .option(
      '--endpoint <endpoint>',
      'with --scope feed:read: the endpoint whose feed it may read, by id or uid',
    )
    .option('--operator', 'an operator key, which belongs to no organisation')
    .action(
      withSession(async ({ api, output }, name: string, options: CreateOptions) => {
        const { scope, expiresAt, operator, routesTo, endpoint } = options;
        const key = await api.send<KeyResource>('POST', '/v1/keys', {
          body: {
            name,
            scopes: scope ?? ['*'],
            expiresAt,
            routesTo,
            endpoint,
            limits: publishLimitsOf(options),
          },
          ...(operator && { organisation: null }),
        });
        await output.item(key, (shown) => keyLines(shown, output));
        if (!output.json) output.note('Keep the token now: it is not shown again.');
      }),
    );

  addPublishLimitOptions(keys.command('update'))
    .description('change what may be published with a key (operator keys only); what is not given stays')
    .argument('<key>', 'id')
    .action(
      withSession(async ({ api, output }, id: string, options: PublishLimitOptions) => {
        const { limits } = await api.send<KeyResource>('GET', pathOf(id));
        const key = await api.send<KeyResource>('PATCH', pathOf(id), {
          body: { limits: publishLimitsOf(options, limits) },
          contentType: 'application/merge-patch+json',
        });
        await output.item(key, (shown) => keyLines(shown, output));
      }),
    );

  keys
    .command('delete')
    .description('revoke a key; it stops working within 5 seconds')
    .argument('<key>', 'id')
    .action(
      withSession(async ({ api, output }, id: string) => {
        await api.send('DELETE', pathOf(id));
        output.note(`Revoked key ${id}.`);
      }),
    );
}

function pathOf(id: string): string {
  return `/v1/keys/${encodeURIComponent(id)}`;
}

function keyLines(key: KeyResource, output: Output): string[] {
  return output.fields({
    id: key.id,
    name: key.name,
    ...(key.token === undefined ? { prefix: `${key.prefix}…` } : { token: key.token }),
    organisation: key.organisation ?? 'none (operator)',
    scopes: key.scopes.join(' '),
    'routes to': key.routesTo ?? undefined,
    'feed of': key.endpoint ?? undefined,
    ...limitFields(key.limits),
    expires: key.expiresAt ?? 'never',
    'last used': key.lastUsedAt,
    created: key.createdAt,
  });
}
