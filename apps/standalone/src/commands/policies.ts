/** `posthorn policies …`: how webhooks are signed as JSON Web Tokens, for endpoints of the dialect xurrent. */
import { policyAlgorithms } from '@posthorn/models';
import { Option, type Command } from 'commander';
import { readData, wholeNumber } from '../arguments.ts';
import { CliError, exitCodes } from '../exit-codes.ts';
import type { Output } from '../terminal/output.ts';
import type { PolicyResource } from '../client/resources.ts';
import { examples } from '../root-command.ts';
import type { WithSession } from '../session.ts';
import { addListOptions, listLimit, type ListOptions } from './list-options.ts';

interface SettingsOptions {
  readonly algorithm?: string;
  readonly audience?: string;
  readonly anyAudience?: true;
  readonly expiresInMinutes?: number;
  readonly neverExpires?: true;
}

interface CreateOptions extends SettingsOptions {
  readonly name?: string;
  readonly privateKey?: string;
}

interface UpdateOptions extends SettingsOptions {
  readonly disable?: true;
  readonly enable?: true;
}

export function addPolicyCommands(root: Command, withSession: WithSession): void {
  const policies = root
    .command('policies')
    .description('list, show, create and change signing policies')
    .addHelpText(
      'after',
      `${examples(
        'posthorn policies create rs256 --audience receivers --expires-in-minutes 5',
        'posthorn policies create es256 --private-key @key.pem --name 6f3a5394',
        'posthorn policies update 7 --disable',
      )}\n\nA policy is named by its id or its number.`,
    );

  addListOptions(policies.command('list').description('list policies, newest first')).action(
    withSession(async ({ api, output }, options: ListOptions) => {
      await output.list(
        api.list<PolicyResource>('/v1/policies', { limit: listLimit(options) }),
        [
          { header: 'NUMBER', value: ({ number }) => number, align: 'right' },
          { header: 'ALGORITHM', value: ({ algorithm }) => algorithm },
          { header: 'STATE', value: ({ disabled }) => (disabled ? 'disabled' : 'enabled') },
          { header: 'NAME', value: ({ name }) => name, flexible: true },
          { header: 'ID', value: ({ id }) => id },
        ],
        'There are no policies.',
      );
    }),
  );

  policies
    .command('show')
    .description('show a policy with its public key')
    .argument('<policy>', 'id or number')
    .action(
      withSession(async ({ api, output }, name: string) => {
        const policy = await api.send<PolicyResource>('GET', pathOf(name));
        await output.item(policy, (shown) => policyLines(shown, output));
      }),
    );

  addSettings(
    policies
      .command('create')
      .description('create a policy and print its public key, or the shared secret, this once')
      .argument('<algorithm>', policyAlgorithms.join(', ')),
  )
    .option('--name <name>', 'its key id (kid), for one that comes from elsewhere')
    .option('--private-key <key>', 'a private key (PEM) or shared secret of your own: @file, or -')
    .action(
      withSession(
        async ({ api, output, io }, algorithm: string, { name, privateKey, ...settings }: CreateOptions) => {
          const key =
            privateKey === undefined ? undefined : (await readData(privateKey, io)).replace(/\r?\n$/, '');
          const body = { ...settingsOf(settings), algorithm, name, key };
          const policy = await api.send<PolicyResource>('POST', '/v1/policies', { body });
          await output.item(policy, (shown) => policyLines(shown, output));
          if (policy.sharedSecret !== undefined && !output.json) {
            output.note('Keep the shared secret now: it is not shown again.');
          }
        },
      ),
    );

  addSettings(
    policies
      .command('update')
      .description('change a policy: what is not given stays as it is')
      .argument('<policy>', 'id or number'),
  )
    .addOption(
      new Option('--algorithm <algorithm>', 'another one for the same type of key').choices(policyAlgorithms),
    )
    .option('--disable', 'no endpoint can be tied to it any more')
    .option('--enable', 'endpoints can be tied to it again')
    .action(
      withSession(async ({ api, output }, name: string, { disable, enable, ...settings }: UpdateOptions) => {
        refuseBoth('--disable and --enable', disable && enable);
        const disabled = disable ? true : enable ? false : undefined;
        const policy = await api.send<PolicyResource>('PATCH', pathOf(name), {
          body: { ...settingsOf(settings), disabled },
          contentType: 'application/merge-patch+json',
        });
        await output.item(policy, (shown) => policyLines(shown, output));
      }),
    );
}

function addSettings(command: Command): Command {
  return command
    .option('--audience <text>', 'the claim aud of its tokens')
    .option('--any-audience', 'no claim aud (the default)')
    .option('--expires-in-minutes <n>', 'how long its tokens are good', wholeNumber(1))
    .option('--never-expires', 'its tokens stay good (the default)');
}

/** The fields that were given, as the API names them. */
function settingsOf(options: SettingsOptions): Readonly<Record<string, unknown>> {
  const { algorithm, audience, anyAudience, expiresInMinutes, neverExpires } = options;
  refuseBoth('--audience and --any-audience', audience !== undefined && anyAudience);
  refuseBoth('--expires-in-minutes and --never-expires', expiresInMinutes !== undefined && neverExpires);
  return {
    algorithm,
    audience: anyAudience ? null : audience,
    expiresInMinutes: neverExpires ? null : expiresInMinutes,
  };
}

function refuseBoth(names: string, areBothGiven: boolean | undefined): void {
  if (areBothGiven) throw new CliError(exitCodes.usage, `Give only one of ${names}.`);
}

function pathOf(idOrNumber: string): string {
  return `/v1/policies/${encodeURIComponent(idOrNumber)}`;
}

function policyLines(policy: PolicyResource, output: Output): string[] {
  const lines = output.fields({
    id: policy.id,
    number: policy.number,
    name: policy.name,
    algorithm: policy.algorithm,
    state: policy.disabled ? 'disabled' : 'enabled',
    audience: policy.audience ?? undefined,
    expires: policy.expiresInMinutes === null ? 'never' : `after ${policy.expiresInMinutes} min`,
    'shared secret': policy.sharedSecret,
    created: policy.createdAt,
    updated: policy.updatedAt,
  });
  return policy.publicKeyPem === null ? lines : [...lines, '', ...policy.publicKeyPem.trim().split('\n')];
}
