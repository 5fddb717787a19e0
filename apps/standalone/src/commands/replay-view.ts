/** How replays look to people, and following one until it ends. */
import { sleep } from '@posthorn/runtime';
import { CliError, exitCodes } from '../exit-codes.ts';
import type { Output } from '../terminal/output.ts';
import { createProgress } from '../terminal/progress.ts';
import type { ReplayResource } from '../client/resources.ts';
import type { Session } from '../session.ts';
import type { Column } from '../terminal/table.ts';

const lookEveryMs = 500;
const barWidth = 24;

/** Prints a replay that was just made; with `follow`, when it has ended, and how far it is until then. */
export async function showNewReplay(
  session: Session,
  replay: ReplayResource,
  { follow = false }: { readonly follow?: boolean | undefined },
): Promise<void> {
  const shown = follow && !replay.dryRun ? await followReplay(session, replay) : replay;
  const { output } = session;
  await output.item(shown, () =>
    shown.dryRun && shown.finishedAt !== null
      ? [`${shown.progress.remaining ?? 0} would be sent${skips(shown)}`]
      : replayLines(shown, output),
  );
  if (follow && shown.state === 'failed') throw new CliError(exitCodes.failure, shown.error ?? 'It failed.');
}

/** Looks at a replay until it ends, or until Ctrl-C, which leaves it running; shows a bar on standard error. */
export async function followReplay({ api, io }: Session, replay: ReplayResource): Promise<ReplayResource> {
  const progress = createProgress({ stderr: io.stderr, clock: io.clock });
  let seen = replay;
  while (seen.finishedAt === null && !io.signal.aborted) {
    progress.update(() => progressLine(seen));
    await sleep(io.clock, lookEveryMs, io.signal);
    seen = await api.send<ReplayResource>('GET', replayPath(seen.id));
  }
  progress.end();
  return seen;
}

export function replayPath(id: string, action = ''): string {
  return `/v1/replays/${encodeURIComponent(id)}${action && `/${action}`}`;
}

export function replayColumns(): readonly Column<ReplayResource>[] {
  return [
    { header: 'ID', value: ({ id }) => id },
    { header: 'CREATED', value: ({ createdAt }) => createdAt },
    { header: 'STATE', value: ({ state, dryRun }) => (dryRun ? `${state} (dry run)` : state) },
    { header: 'ENDPOINT', value: ({ endpoint }) => endpoint ?? 'all', flexible: true },
    { header: 'TOTAL', value: ({ progress }) => progress.total, align: 'right' },
    { header: 'DONE', value: ({ progress }) => progress.done, align: 'right' },
    { header: 'SKIPPED', value: ({ progress }) => progress.skipped, align: 'right' },
    { header: 'REMAINING', value: ({ progress }) => progress.remaining, align: 'right' },
  ];
}

export function replayLines(replay: ReplayResource, output: Output): string[] {
  const { progress } = replay;
  const reasons = Object.entries(progress.skippedBecause).map(([reason, count]) => `${reason} ${count}`);
  return output.fields({
    id: replay.id,
    state: replay.state,
    error: replay.error ?? undefined,
    endpoint: replay.endpoint ?? 'all',
    event: replay.eventId ?? undefined,
    'event types': replay.eventTypes?.join(', '),
    states: replay.states.join(', '),
    'status class': replay.statusClass ?? undefined,
    since: replay.since ?? undefined,
    until: replay.until ?? undefined,
    after: replay.createdAfter ?? undefined,
    before: replay.createdBefore ?? undefined,
    unmatched: replay.includeUnmatched ? 'yes' : undefined,
    'per second': replay.perSecond ?? undefined,
    'dry run': replay.dryRun ? 'yes' : undefined,
    total: progress.total,
    done: progress.done,
    skipped: reasons.length === 0 ? progress.skipped : `${progress.skipped} (${reasons.join(', ')})`,
    remaining: progress.remaining,
    ends: progress.estimatedEndAt ?? undefined,
    created: replay.createdAt,
    finished: replay.finishedAt ?? undefined,
  });
}

function skips({ progress: { skipped, skippedBecause } }: ReplayResource): string {
  if (skipped === 0) return '';
  const reasons = Object.entries(skippedBecause).map(([reason, count]) => `${reason} ${count}`);
  return `, ${skipped} can't be (${reasons.join(', ')})`;
}

function progressLine({ state, progress }: ReplayResource): string {
  const { total, done, skipped, estimatedEndAt } = progress;
  if (total === null) return `${state}: counting`;
  const through = total === 0 ? 1 : Math.min(1, (done + skipped) / total);
  const filled = Math.round(through * barWidth);
  const bar = '#'.repeat(filled) + '.'.repeat(barWidth - filled);
  const end = estimatedEndAt === null ? '' : `, until ${estimatedEndAt}`;
  return `[${bar}] ${Math.floor(through * 100)} %, ${done} of ${total} sent, ${skipped} skipped${end}`;
}
