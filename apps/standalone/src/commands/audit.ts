/** `posthorn audit …`: who did what to which resource. */
import { auditResults } from '@posthorn/models';
import { Option, type Command } from 'commander';
import { moment, type Moment } from '../arguments.ts';
import type { AuditRecordResource } from '../client/resources.ts';
import { examples } from '../root-command.ts';
import type { WithSession } from '../session.ts';
import { addListOptions, listLimit, type ListOptions } from './list-options.ts';

interface AuditFilters {
  readonly actor?: string;
  readonly action?: string;
  readonly resource?: string;
  readonly result?: string;
  readonly after?: Moment;
  readonly before?: Moment;
}

export function addAuditCommands(root: Command, withSession: WithSession): void {
  const audit = root
    .command('audit')
    .description('list who did what to which resource')
    .addHelpText(
      'after',
      examples(
        'posthorn audit list --resource 0192f3c4-…',
        'posthorn audit list --action key.create --after 7d',
        'posthorn audit list --result refused',
      ),
    );

  addListOptions(audit.command('list').description('list actions, newest first'))
    .option('--actor <id>', 'only of this key, subject of a token, or service')
    .option('--action <action>', 'only these, such as endpoint.update')
    .option('--resource <id>', 'only on this resource')
    .addOption(new Option('--result <result>', 'only those that ended like this').choices(auditResults))
    .option('--after <time>', 'after (RFC 3339, or an age such as 2h)', moment)
    .option('--before <time>', 'before', moment)
    .action(
      withSession(async ({ api, output, io }, options: AuditFilters & ListOptions) => {
        const { actor, action, resource, result, after, before } = options;
        const found = api.list<AuditRecordResource>('/v1/audit', {
          limit: listLimit(options),
          query: {
            actor,
            action,
            resource,
            result,
            after: after?.at(io.clock),
            before: before?.at(io.clock),
          },
        });
        await output.list(
          found,
          [
            { header: 'TIME', value: ({ occurredAt }) => occurredAt },
            { header: 'ACTOR', value: actorText, flexible: true },
            { header: 'ACTION', value: ({ action: done }) => done },
            { header: 'RESOURCE', value: ({ resource: of }) => of },
            {
              header: 'RESULT',
              value: ({ result: ended, error }) => (error === null ? ended : `${ended} ${error}`),
            },
            { header: 'ADDRESS', value: ({ address }) => address },
            {
              header: 'CHANGED',
              value: ({ changedFields }) => changedFields.join(' ') || null,
              flexible: true,
            },
          ],
          'There are no such actions.',
        );
      }),
    );
}

function actorText({ actor: { kind, id, name, operator } }: AuditRecordResource): string {
  return `${operator ? 'operator ' : ''}${kind} ${name ?? id}`;
}
