export * from './group-commit.ts';
export type { Migrations } from './migrations.ts';
export * from './open-sqlite.ts';
export * from './sqlite-error.ts';
export type { SqliteRow, Statement } from './statement.ts';
