/**
 * Standard output in one of two forms that are never mixed: text for people, or JSON for programs (`--json`): one value
 * for a command that is about one thing, a line each (NDJSON) for a list or a stream. Colour only on a terminal, and not
 * with NO_COLOR. Everything else (progress, notes, errors) goes to standard error.
 */
import { once } from 'node:events';
import { styleText } from 'node:util';
import type { Io, OutputStream } from './io.ts';
import { formatFields, formatTable, type Column } from './table.ts';

export type StyleName = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
export type Style = (name: StyleName, text: string) => string;

export interface Output {
  /** True when a program reads. */
  readonly json: boolean;
  readonly style: Style;
  /** One thing: as a JSON value, or as the lines that `render` makes of it. */
  item<T>(value: T, render: (value: T) => readonly string[]): Promise<void>;
  /** A list: NDJSON, or a table; `empty` is the note for people when there is nothing. */
  list<T>(items: AsyncIterable<T> | Iterable<T>, columns: readonly Column<T>[], empty: string): Promise<void>;
  /** A line for people; nothing with `--json`. */
  text(line: string): Promise<void>;
  /** A note on standard error, in both forms. */
  note(line: string): void;
  /** A table within an item. */
  table<T>(rows: readonly T[], columns: readonly Column<T>[]): readonly string[];
  /** Names and values, aligned. */
  fields(fields: Parameters<typeof formatFields>[0]): string[];
}

/** Rows that are laid out together: more than one table's worth is never held in memory. */
const rowsPerTable = 250;

export function createOutput(io: Pick<Io, 'stdout' | 'stderr' | 'env'>, options: { json: boolean }): Output {
  const style = styleFor(io.stdout, io.env);
  const write = async (text: string): Promise<void> => {
    if (!io.stdout.write(text)) await once(io.stdout, 'drain');
  };
  const writeLines = (lines: readonly string[]): Promise<void> =>
    lines.length === 0 ? Promise.resolve() : write(`${lines.join('\n')}\n`);

  const tableOptions = {
    // A terminal that doesn't tell its width says 0.
    columns: (io.stdout.isTTY && io.stdout.columns) || undefined,
    headerStyle: (text: string) => style('bold', text),
  };

  return {
    json: options.json,
    style,
    item: (value, render) => (options.json ? write(`${JSON.stringify(value)}\n`) : writeLines(render(value))),
    async list(items, columns, empty) {
      if (options.json) {
        for await (const item of items) await write(`${JSON.stringify(item)}\n`);
        return;
      }
      let widths: readonly number[] | undefined;
      for await (const rows of inGroups(items, rowsPerTable)) {
        const table = formatTable(rows, columns, {
          ...tableOptions,
          ...(widths && { after: widths }),
        });
        widths = table.widths;
        await writeLines(table.lines);
      }
      if (!widths) io.stderr.write(`${empty}\n`);
    },
    text: (line) => (options.json ? Promise.resolve() : write(`${line}\n`)),
    note: (line) => void io.stderr.write(`${line}\n`),
    table: (rows, columns) => formatTable(rows, columns, tableOptions).lines,
    fields: (fields) => formatFields(fields, (name) => style('dim', name)),
  };
}

/** Colours for a terminal; for anything else, or with NO_COLOR or TERM=dumb, text as it is. See https://no-color.org */
export function styleFor(stream: OutputStream, env: Io['env']): Style {
  const coloured = stream.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  return (name, text) => (coloured ? styleText(name, text, { validateStream: false }) : text);
}

async function* inGroups<T>(items: AsyncIterable<T> | Iterable<T>, size: number): AsyncGenerator<T[]> {
  let group: T[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length === size) {
      yield group;
      group = [];
    }
  }
  if (group.length > 0) yield group;
}
