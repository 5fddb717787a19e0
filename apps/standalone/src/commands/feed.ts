/** `posthorn feed`: what an endpoint was to get, oldest first, and what comes. */
import type { Command } from 'commander';
import { sleep } from '@posthorn/runtime';
import { moment, wholeNumber, type Moment } from '../arguments.ts';
import type { FeedEntryResource } from '../client/resources.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { examples } from '../root-command.ts';
import type { Session, WithSession } from '../session.ts';
import { deliveryStateOption } from './delivery-state-option.ts';

interface FeedOptions {
  readonly cursor?: string;
  readonly after?: Moment;
  readonly state?: readonly string[];
  readonly limit?: number;
  readonly follow?: true;
}

interface FeedPage {
  readonly data: readonly FeedEntryResource[];
  readonly nextCursor: string;
  readonly hasMore: boolean;
}

const followEveryMs = 2000;
const pageSize = 250;

export function addFeedCommand(root: Command, withSession: WithSession): void {
  root
    .command('feed')
    .description('what an endpoint was to get, oldest first, delivered or not')
    .argument('<endpoint>', 'id or uid')
    .option('--cursor <cursor>', 'go on where an earlier reading ended')
    .option('--after <time>', 'only what was accepted after it (RFC 3339, or an age such as 2h)', moment)
    .addOption(deliveryStateOption())
    .option('--limit <n>', 'end after so many entries', wholeNumber(1))
    .option('--follow', 'wait for more, until Ctrl-C')
    .addHelpText(
      'after',
      `${examples(
        'posthorn feed shop --after 2d --state exhausted --state held',
        'posthorn feed shop --follow --json >> shop.ndjson',
      )}\n
The cursor to go on from is told at the end, on standard error. An event appears some seconds after it was published.`,
    )
    .action(
      withSession((session: Session, endpoint: string, options: FeedOptions) =>
        readFeed(session, endpoint, options),
      ),
    );
}

async function readFeed(
  { api, output, io }: Session,
  endpoint: string,
  options: FeedOptions,
): Promise<ExitCode> {
  const { clock, signal } = io;
  const { state, limit = Infinity, follow = false } = options;
  const after = options.after?.at(clock);
  let cursor = options.cursor;
  let shown = 0;
  while (shown < limit && !signal.aborted) {
    const page = await api.send<FeedPage>('GET', `/v1/endpoints/${encodeURIComponent(endpoint)}/feed`, {
      query: {
        cursor,
        after: cursor === undefined ? after : undefined,
        state,
        limit: Math.min(pageSize, limit - shown),
      },
    });
    for (const entry of page.data) {
      await output.item(entry, ({ acceptedAt, state: stands, eventType, eventId }) => [
        `${acceptedAt}  ${stands.padEnd(9)}  ${eventType}  ${eventId}`,
      ]);
    }
    shown += page.data.length;
    cursor = page.nextCursor;
    if (page.hasMore) continue;
    if (!follow) break;
    await sleep(clock, followEveryMs, signal);
  }
  if (shown === 0 && !follow) output.note('There is nothing more in the feed.');
  if (cursor !== undefined) output.note(`Go on with --cursor ${cursor}`);
  return exitCodes.ok;
}
