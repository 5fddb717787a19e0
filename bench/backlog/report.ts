/** What a backlog costs, as a table for people. */
import { fixed, table } from '../table.ts';
import type { BacklogMeasurement } from './measure.ts';

/** Of the process that delivers, in MB: a million bytes. */
const mostMegabytes = 300;
const bytesOfMib = 2 ** 20;

export function describeBacklog({
  without,
  beside,
}: {
  readonly without: BacklogMeasurement;
  readonly beside: BacklogMeasurement;
}): string {
  const row = (name: string, measured: BacklogMeasurement): string[] => [
    name,
    fixed(measured.acceptToReceive.p50Ms, 1),
    fixed(measured.acceptToReceive.p99Ms, 1),
    fixed(measured.sendToReceive.p99Ms, 1),
    fixed(measured.cpu, 1),
    fixed(measured.maxRssMib, 0),
    String(measured.deliveries),
    String(measured.missing),
  ];
  const ratio = beside.acceptToReceive.p99Ms / without.acceptToReceive.p99Ms;
  const megabytes = (beside.maxRssMib * bytesOfMib) / 1e6;
  return [
    'p50, p99: accept to receive. CPU: seconds for 10,000 deliveries, and RSS: the most memory, of the process that delivers.',
    '',
    ...table(
      [
        ['', 'p50 ms', 'p99 ms', 'send p99', 'CPU s', 'RSS MiB', 'deliveries', 'missing'],
        row('nothing waits', without),
        row('the backlog waits', beside),
      ],
      1,
    ),
    '',
    `p99 with the backlog: ${fixed(ratio, 2)} × that without; the most memory: ${fixed(megabytes, 0)} MB (bound: ${mostMegabytes})`,
  ].join('\n');
}
