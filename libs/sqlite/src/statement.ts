import type { SQLInputValue, SQLOutputValue, StatementResultingChanges } from 'node:sqlite';

/** A row whose shape nobody has said. */
export type SqliteRow = Record<string, SQLOutputValue>;

/** A prepared statement whose rows have a known shape: that of the table, by the word of whoever wrote the SQL. */
export interface Statement<Row = SqliteRow> {
  /** The first row. */
  get(...parameters: SQLInputValue[]): Row | undefined;
  all(...parameters: SQLInputValue[]): Row[];
  run(...parameters: SQLInputValue[]): StatementResultingChanges;
}
