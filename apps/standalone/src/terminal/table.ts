/** Tables and field lists for people: aligned with spaces, no frames, so that they can also be cut and grepped. */
import { displayWidth, printable, truncate } from './printable.ts';

export interface Column<T> {
  readonly header: string;
  /** The cell's text; null and undefined show as `-`. */
  readonly value: (row: T) => string | number | null | undefined;
  readonly align?: 'left' | 'right';
  /** May be shortened when the terminal is too narrow. */
  readonly flexible?: boolean;
  /** Colours the cell, by its row. */
  readonly style?: (text: string, row: T) => string;
}

export interface TableOptions {
  /** Lines are kept within this many columns by shortening flexible cells; absent: nothing is shortened. */
  readonly columns?: number | undefined;
  readonly headerStyle?: (text: string) => string;
  /** Continues an earlier table: its widths, and no header. */
  readonly after?: readonly number[];
}

export interface Table {
  readonly lines: readonly string[];
  readonly widths: readonly number[];
}

const gap = '  ';
const narrowest = 8;

/** Lays rows out under their headers. */
export function formatTable<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  options: TableOptions = {},
): Table {
  const cells = rows.map((row) => columns.map((column) => cellText(column.value(row))));
  const widths = fit(
    columns.map((column, index) =>
      Math.max(
        displayWidth(column.header),
        options.after?.[index] ?? 0,
        ...cells.map((row) => displayWidth(row[index] ?? '')),
      ),
    ),
    columns,
    options.columns,
  );
  const layOut = (row: readonly string[], style: (text: string, index: number) => string): string =>
    row
      .map((text, index) => {
        const width = widths[index] ?? 0;
        const shown = truncate(text, width);
        const padding = ' '.repeat(Math.max(0, width - displayWidth(shown)));
        const isLast = index === columns.length - 1;
        return columns[index]?.align === 'right'
          ? padding + style(shown, index)
          : style(shown, index) + (isLast ? '' : padding);
      })
      .join(gap)
      .trimEnd();
  const headerStyle = options.headerStyle ?? ((text: string) => text);
  const header = options.after
    ? []
    : [
        layOut(
          columns.map((column) => column.header),
          headerStyle,
        ),
      ];
  const body = cells.map((texts, rowIndex) =>
    layOut(texts, (text, index) => {
      const style = columns[index]?.style;
      const row = rows[rowIndex];
      return style && row !== undefined ? style(text, row) : text;
    }),
  );
  return { lines: [...header, ...body], widths };
}

/** `name   value` lines; entries that are undefined are left out, null shows as `-`. */
export function formatFields(
  fields: Readonly<Record<string, string | number | boolean | null | undefined>>,
  nameStyle: (text: string) => string = (text) => text,
): string[] {
  const shown = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [printable(name), cellText(String(value ?? '-'))] as const);
  const width = Math.max(0, ...shown.map(([name]) => displayWidth(name)));
  return shown.map(([name, value]) => {
    const padding = ' '.repeat(width - displayWidth(name));
    return `${nameStyle(name)}${padding}${gap}${value}`;
  });
}

function cellText(value: string | number | null | undefined): string {
  return value === null || value === undefined || value === '' ? '-' : printable(String(value));
}

/** Takes from the widest flexible column until the line fits, as far as that goes. */
function fit<T>(natural: number[], columns: readonly Column<T>[], available: number | undefined): number[] {
  const widths = [...natural];
  if (available === undefined) return widths;
  let excess = widths.reduce((sum, width) => sum + width, 0) + gap.length * (widths.length - 1) - available;
  while (excess > 0) {
    let widest = -1;
    for (const [index, column] of columns.entries()) {
      if (column.flexible && (widths[index] ?? 0) > Math.max(narrowest, widths[widest] ?? 0)) widest = index;
    }
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
  return widths;
}
