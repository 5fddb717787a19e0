/** `posthorn erase` and `posthorn erasures …`: removing what was published, for good. */
import { createInterface } from 'node:readline';
import { sleep } from '@posthorn/runtime';
import type { Command } from 'commander';
import { CliError, exitCodes } from '../exit-codes.ts';
import type { Io } from '../terminal/io.ts';
import type { Output } from '../terminal/output.ts';
import { createProgress } from '../terminal/progress.ts';
import type { ErasureResource } from '../client/resources.ts';
import { examples } from '../root-command.ts';
import type { Session, WithSession } from '../session.ts';
import type { Column } from '../terminal/table.ts';
import { addListOptions, listLimit, type ListOptions } from './list-options.ts';

interface EraseOptions {
  readonly event?: string;
  readonly subject?: string;
  readonly yes?: true;
}

const lookEveryMs = 500;

export function addErasureCommands(root: Command, withSession: WithSession): void {
  root
    .command('erase')
    .description('erase an event, or everything about a subject, and wait until that is done')
    .option('--event <id>', 'this event')
    .option('--subject <subject>', 'what was accepted about this subject until now')
    .option('--yes', 'do not ask: it cannot be undone')
    .addHelpText(
      'after',
      examples('posthorn erase --subject customer-42', 'posthorn erase --event 019aa0c4-… --yes'),
    )
    .action(
      withSession(async (session, { event, subject, yes }: EraseOptions) => {
        if ((event === undefined) === (subject === undefined)) {
          throw new CliError(exitCodes.usage, 'Say what: either --event or --subject.');
        }
        const what = event === undefined ? `everything about ${subject}` : `event ${event}`;
        if (yes !== true) await confirm(session.io, what);
        const erasure = await session.api.send<ErasureResource>('POST', '/v1/erasures', {
          body: { eventId: event, subject },
        });
        const ended = await followErasure(session, erasure);
        await session.output.item(ended, () => erasureLines(ended, session.output));
        if (ended.state === 'failed') throw new CliError(exitCodes.failure, ended.error ?? 'It failed.');
      }),
    );

  const erasures = root
    .command('erasures')
    .description('list and show what was erased')
    .addHelpText(
      'after',
      examples('posthorn erasures list', 'posthorn erasures list --organisation 019aa0c4-…'),
    );
  addListOptions(erasures.command('list').description('list erasures, newest first')).action(
    withSession(async ({ api, output }, options: ListOptions) => {
      const found = api.list<ErasureResource>('/v1/erasures', { limit: listLimit(options) });
      await output.list(found, columns, 'Nothing was erased.');
    }),
  );
  erasures
    .command('show')
    .alias('get')
    .description('show an erasure and how far it is')
    .argument('<erasure>', 'id')
    .action(
      withSession(async ({ api, output }, id: string) => {
        const erasure = await api.send<ErasureResource>('GET', pathOf(id));
        await output.item(erasure, () => erasureLines(erasure, output));
      }),
    );
}

/** Asks at a terminal; anywhere else nobody could answer. */
async function confirm({ stdin, stderr }: Io, what: string): Promise<void> {
  if (stdin.isTTY !== true) {
    throw new CliError(exitCodes.usage, `Erasing ${what} cannot be undone. Say --yes if that is meant.`);
  }
  stderr.write(`Erasing ${what} cannot be undone. Type yes to go on: `);
  for await (const line of createInterface({ input: stdin })) {
    if (line.trim() === 'yes') return;
    break;
  }
  throw new CliError(exitCodes.failure, 'Nothing was erased.');
}

/** Looks at an erasure until it ends, or until Ctrl-C, which leaves it running. */
async function followErasure({ api, io }: Session, erasure: ErasureResource): Promise<ErasureResource> {
  const progress = createProgress({ stderr: io.stderr, clock: io.clock });
  let seen = erasure;
  while (seen.finishedAt === null && !io.signal.aborted) {
    const { examined, events } = seen.progress;
    progress.update(() => `${seen.state}: ${examined} events looked at, ${events} erased`);
    await sleep(io.clock, lookEveryMs, io.signal);
    seen = await api.send<ErasureResource>('GET', pathOf(seen.id));
  }
  progress.end();
  return seen;
}

const pathOf = (id: string): string => `/v1/erasures/${encodeURIComponent(id)}`;

const columns: readonly Column<ErasureResource>[] = [
  { header: 'ID', value: ({ id }) => id },
  { header: 'CREATED', value: ({ createdAt }) => createdAt },
  { header: 'STATE', value: ({ state }) => state },
  { header: 'OF', value: ({ target }) => target },
  { header: 'NAMED', value: ({ eventId, subjectHash }) => eventId ?? subjectHash, flexible: true },
  { header: 'EVENTS', value: ({ progress }) => progress.events, align: 'right' },
  { header: 'BY', value: ({ createdBy }) => createdBy },
];

function erasureLines(erasure: ErasureResource, output: Output): string[] {
  const { progress } = erasure;
  return output.fields({
    id: erasure.id,
    state: erasure.state,
    error: erasure.error ?? undefined,
    of: erasure.target,
    event: erasure.eventId ?? undefined,
    'subject hash': erasure.subjectHash ?? undefined,
    examined: progress.examined,
    events: progress.events,
    deliveries: progress.deliveries,
    responses: progress.responses,
    by: erasure.createdBy,
    created: erasure.createdAt,
    finished: erasure.finishedAt ?? undefined,
  });
}
