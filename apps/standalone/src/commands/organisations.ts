/** `posthorn organisations …`: the tenants; for operator keys. */
import type { Command } from 'commander';
import type { ApiClient } from '../client/api-client.ts';
import { wholeNumber } from '../arguments.ts';
import { CliError, exitCodes } from '../exit-codes.ts';
import type { Output } from '../terminal/output.ts';
import type { OrganisationResource, UsageLimitsResource } from '../client/resources.ts';
import { examples } from '../root-command.ts';
import type { WithSession } from '../session.ts';
import { addUsageLimitOptions, limitFields, usageLimitsOf, type UsageLimitOptions } from './limit-options.ts';
import { addListOptions, listLimit, type ListOptions } from './list-options.ts';

interface UpdateOptions extends UsageLimitOptions {
  readonly name?: string;
  readonly defaultRicloudEndpoint?: string;
  readonly oldestRicloudEndpoint?: true;
}

interface CreateOptions extends UsageLimitOptions {
  readonly name?: string;
  readonly timeZone?: string;
  readonly requireKnownTypes?: true;
  readonly payloadDays?: number;
  readonly metadataDays?: number;
}

export function addOrganisationCommands(root: Command, withSession: WithSession): void {
  const organisations = root
    .command('organisations')
    .description('list, show, create, change and delete organisations (operator keys only)')
    .addHelpText(
      'after',
      examples(
        'posthorn organisations create acme --name "Acme Ltd"',
        'posthorn organisations update acme --default-ricloud-endpoint shop',
        'posthorn organisations update acme --publishes-per-second 100 --max-endpoints 20',
        'posthorn organisations list',
      ),
    );

  addListOptions(organisations.command('list').description('list organisations, newest first')).action(
    withSession(async ({ api, output }, options: ListOptions) => {
      const found = api.list<OrganisationResource>('/v1/organisations', {
        limit: listLimit(options),
        organisation: null,
      });
      await output.list(
        found,
        [
          { header: 'ID', value: ({ id }) => id },
          { header: 'SLUG', value: ({ slug }) => slug },
          { header: 'NAME', value: ({ name }) => name, flexible: true },
          { header: 'CREATED', value: ({ createdAt }) => createdAt },
        ],
        'There are no organisations yet.',
      );
    }),
  );

  organisations
    .command('show')
    .description('show an organisation')
    .argument('<organisation>', 'id or slug')
    .action(
      withSession(async ({ api, output }, name: string) => {
        const organisation = await api.send<OrganisationResource>('GET', pathOf(name), {
          organisation: null,
        });
        await output.item(organisation, (shown) => organisationLines(shown, output));
      }),
    );

  addUsageLimitOptions(organisations.command('create'))
    .description('create an organisation')
    .argument('<slug>', 'a-z, 0-9 and -, at most 63 characters')
    .option('--name <name>', 'its name for people; the slug when absent')
    .option('--time-zone <zone>', 'IANA name such as Europe/Berlin')
    .option('--require-known-types', 'refuse events whose type is not in the catalogue')
    .option('--payload-days <n>', 'days that events are kept', wholeNumber(1))
    .option('--metadata-days <n>', 'days that deliveries and attempts are kept', wholeNumber(1))
    .action(
      withSession(async ({ api, output }, slug: string, options: CreateOptions) => {
        const { payloadDays, metadataDays } = options;
        const hasRetention = payloadDays !== undefined || metadataDays !== undefined;
        const body = {
          slug,
          name: options.name ?? slug,
          timeZone: options.timeZone,
          requireKnownTypes: options.requireKnownTypes,
          retention: hasRetention ? { payloadDays, metadataDays } : undefined,
          limits: usageLimitsOf(options),
        };
        const created = await api.send<OrganisationResource>('POST', '/v1/organisations', {
          body,
          organisation: null,
        });
        await output.item(created, (shown) => organisationLines(shown, output));
      }),
    );

  addUsageLimitOptions(organisations.command('update'))
    .description('change an organisation: what is not given stays as it is')
    .argument('<organisation>', 'id or slug')
    .option('--name <name>', 'its name for people')
    .option(
      '--default-ricloud-endpoint <endpoint>',
      'the one that gets what no key routes elsewhere, by id or uid',
    )
    .option(
      '--oldest-ricloud-endpoint',
      'no default: the oldest that has passed its test (as in the beginning)',
    )
    .action(
      withSession(async ({ api, output }, name: string, options: UpdateOptions) => {
        const { defaultRicloudEndpoint, oldestRicloudEndpoint } = options;
        if (defaultRicloudEndpoint !== undefined && oldestRicloudEndpoint) {
          const message = 'Give only one of --default-ricloud-endpoint and --oldest-ricloud-endpoint.';
          throw new CliError(exitCodes.usage, message);
        }
        const body = {
          name: options.name,
          limits: await changedLimits(name, options, api),
          defaultRicloudEndpoint: oldestRicloudEndpoint ? null : defaultRicloudEndpoint,
        };
        const changed = await api.send<OrganisationResource>('PATCH', pathOf(name), {
          body,
          contentType: 'application/merge-patch+json',
          organisation: null,
        });
        await output.item(changed, (shown) => organisationLines(shown, output));
      }),
    );

  organisations
    .command('delete')
    .description('delete an organisation with everything that belongs to it')
    .argument('<organisation>', 'id or slug')
    .action(
      withSession(async ({ api, output }, name: string) => {
        await api.send('DELETE', pathOf(name), { organisation: null });
        output.note(`Deleted organisation ${name}.`);
      }),
    );
}

/** Limits are replaced as a whole: those that aren't named stay as they are. */
async function changedLimits(
  name: string,
  options: UsageLimitOptions,
  api: ApiClient,
): Promise<Partial<UsageLimitsResource> | undefined> {
  if (usageLimitsOf(options) === undefined) return undefined;
  const { limits } = await api.send<OrganisationResource>('GET', pathOf(name), { organisation: null });
  return usageLimitsOf(options, limits);
}

function pathOf(name: string): string {
  return `/v1/organisations/${encodeURIComponent(name)}`;
}

function organisationLines(organisation: OrganisationResource, output: Output): string[] {
  return output.fields({
    id: organisation.id,
    slug: organisation.slug,
    name: organisation.name,
    'time zone': organisation.timeZone,
    'known types only': organisation.requireKnownTypes,
    'default ricloud endpoint': organisation.defaultRicloudEndpoint ?? undefined,
    'payloads kept': `${organisation.retention.payloadDays} days`,
    'metadata kept': `${organisation.retention.metadataDays} days`,
    ...limitFields(organisation.limits),
    created: organisation.createdAt,
  });
}
