/** `posthorn endpoints enable|disable|pause|resume|verify|secrets|rotate-secret|test|stats`. */
import type { Command } from 'commander';
import { moment, notJson, readData, wholeNumber, type Moment } from '../arguments.ts';
import { exitCodes } from '../exit-codes.ts';
import { objectWithData } from '../publishing/new-event.ts';
import type {
  AttemptResource,
  EndpointResource,
  SecretResource,
  StatsResource,
  StatsSummary,
} from '../client/resources.ts';
import type { WithSession } from '../session.ts';
import type { Column } from '../terminal/table.ts';
import { attemptLines } from './attempt-view.ts';
import { duration, endpointLines, endpointPath } from './endpoint-view.ts';

const stateActions = {
  enable: 'enable an endpoint again, and deliver what comes from now on',
  disable: 'stop delivering to an endpoint; what matches is held',
  pause: 'stop delivering to an endpoint for a while; what matches is held',
  resume: 'deliver to a paused endpoint again, with what was held',
} as const;

export function addEndpointActions(endpoints: Command, withSession: WithSession): void {
  for (const [action, description] of Object.entries(stateActions)) {
    const command = endpoints
      .command(action)
      .description(description)
      .argument('<endpoint>', 'id or uid')
      .action(
        withSession(async ({ api, output }, name: string, { reason }: { reason?: string }) => {
          const endpoint = await api.send<EndpointResource>('POST', endpointPath(name, action), {
            body: { reason },
          });
          await output.item(endpoint, (shown) => endpointLines(shown, output));
        }),
      );
    if (action === 'disable' || action === 'pause') {
      command.option('--reason <text>', 'why, to be shown with its state');
    }
  }

  endpoints
    .command('verify')
    .description('ask the receiver again whether it is one; nothing else is sent until it has shown that')
    .argument('<endpoint>', 'id or uid')
    .action(
      withSession(async ({ api, output }, name: string) => {
        const endpoint = await api.send<EndpointResource>('POST', endpointPath(name, 'verify'));
        await output.item(endpoint, (shown) => endpointLines(shown, output));
      }),
    );

  const secretColumns: readonly Column<SecretResource>[] = [
    { header: 'SECRET', value: ({ secret }) => secret },
    { header: 'PUBLIC KEY', value: ({ publicKey }) => publicKey },
    { header: 'CREATED', value: ({ createdAt }) => createdAt },
    { header: 'SIGNS UNTIL', value: ({ expiresAt }) => expiresAt ?? 'replaced' },
  ];

  endpoints
    .command('secrets')
    .description('show the secrets that sign now')
    .argument('<endpoint>', 'id or uid')
    .action(
      withSession(async ({ api, output }, name: string) => {
        const { data } = await api.send<{ data: readonly SecretResource[] }>(
          'GET',
          endpointPath(name, 'secrets'),
        );
        await output.list(data, secretColumns, 'There are no secrets.');
      }),
    );

  endpoints
    .command('rotate-secret')
    .description('make a new secret; the old one keeps signing beside it for a day')
    .argument('<endpoint>', 'id or uid')
    .option('--overlap-ms <n>', 'how long the old one keeps signing; 0 ends it at once', wholeNumber(0))
    .option('--secret <secret>', 'the new secret (whsec_… or whsk_…) instead of a made one')
    .action(
      withSession(
        async (
          { api, output },
          name: string,
          { overlapMs, secret }: { overlapMs?: number; secret?: string },
        ) => {
          const { data } = await api.send<{ data: readonly SecretResource[] }>(
            'POST',
            endpointPath(name, 'secrets/rotate'),
            {
              body: { overlapMs, secret },
            },
          );
          await output.list(data, secretColumns, 'There are no secrets.');
        },
      ),
    );

  endpoints
    .command('test')
    .description('send one signed test event now, and show the attempt (exit code 1 when it failed)')
    .argument('<endpoint>', 'id or uid')
    .option('--type <type>', 'event type; posthorn.test when absent')
    .option('--data <json>', 'payload: JSON, @file, or -')
    .action(
      withSession(
        async ({ api, output, io }, name: string, { type, data }: { type?: string; data?: string }) => {
          const body = data === undefined ? { type } : objectWithJson({ type }, await readData(data, io));
          const attempt = await api.send<AttemptResource>('POST', endpointPath(name, 'test'), { body });
          await output.item(attempt, (shown) => attemptLines(shown, output));
          return attempt.outcome === 'success' ? exitCodes.ok : exitCodes.failure;
        },
      ),
    );

  endpoints
    .command('stats')
    .description('show attempts by outcome and their latency')
    .argument('<endpoint>', 'id or uid')
    .option('--after <time>', 'from then on (RFC 3339, or an age such as 24h)', moment)
    .option('--before <time>', 'until then', moment)
    .action(
      withSession(
        async ({ api, output, io }, name: string, { after, before }: { after?: Moment; before?: Moment }) => {
          const stats = await api.send<StatsResource>('GET', endpointPath(name, 'stats'), {
            query: { after: after?.at(io.clock), before: before?.at(io.clock) },
          });
          await output.item(stats, ({ total, buckets, bucketMs, ...shown }) => [
            ...output.fields({
              from: shown.after,
              until: shown.before,
              attempts: total.attempts,
              outcomes: outcomes(total),
              latency: latency(total),
              waiting: shown.waiting,
              'oldest waiting': shown.oldestWaitingAt,
            }),
            '',
            ...output.table(
              buckets.filter(({ attempts }) => attempts > 0),
              [
                { header: `PER ${duration(bucketMs).toUpperCase()}`, value: ({ start }) => start },
                { header: 'ATTEMPTS', value: ({ attempts }) => attempts, align: 'right' },
                { header: 'OUTCOMES', value: outcomes },
                { header: 'LATENCY P50/P95/P99', value: latency },
              ],
            ),
          ]);
        },
      ),
    );
}

function objectWithJson(members: Readonly<Record<string, unknown>>, data: string): string {
  try {
    return objectWithData(members, data);
  } catch (error) {
    throw notJson('The data', error);
  }
}

function outcomes({ byOutcome }: StatsSummary): string {
  return Object.entries(byOutcome)
    .map(([outcome, count]) => `${outcome} ${count}`)
    .join(', ');
}

function latency({ latencyMs }: StatsSummary): string {
  if (latencyMs === null) return '-';
  return `${[latencyMs.p50, latencyMs.p95, latencyMs.p99].map((ms) => Math.round(ms)).join('/')} ms`;
}
