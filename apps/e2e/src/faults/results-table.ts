/** Results as a table in Markdown, which is also good to read at a prompt. */
import type { FaultCounts, FaultResult } from './run-faults.ts';

const columns: readonly { readonly title: string; readonly cell: (counts: FaultCounts) => string }[] = [
  { title: 'accepted', cell: ({ accepted }) => String(accepted) },
  { title: 'delivered', cell: ({ delivered }) => String(delivered) },
  { title: 'lost', cell: ({ lost }) => String(lost) },
  { title: 'duplicated', cell: ({ duplicates }) => String(duplicates) },
  { title: 'out of order', cell: ({ outOfOrder }) => String(outOfOrder) },
  { title: 's to recover', cell: ({ secondsToRecover }) => secondsToRecover.toFixed(1) },
];

export function resultsTable(results: readonly FaultResult[]): string {
  const rows = [
    ['on', 'fault', ...columns.map(({ title }) => title)],
    ...results.map(({ subject, fault, counts, isUntried }) => [
      subject,
      fault,
      ...columns.map(({ cell }) => (counts === null ? (isUntried ? 'not tried' : 'failed') : cell(counts))),
    ]),
  ];
  const widths = columns.map((_, column) => widthOf(rows, column + 2));
  const all = [widthOf(rows, 0), widthOf(rows, 1), ...widths];
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column < 2 ? cell.padEnd(all[column] ?? 0) : cell.padStart(all[column] ?? 0))).join(' | ')} |`;
  const rule = `| ${all.map((width, column) => (column < 2 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), rule, ...body.map(line)].join('\n');
}

function widthOf(rows: readonly (readonly string[])[], column: number): number {
  return Math.max(...rows.map((row) => row[column]?.length ?? 0));
}
