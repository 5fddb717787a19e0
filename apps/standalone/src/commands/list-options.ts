/** The options that every list takes. */
import type { Command } from 'commander';
import { wholeNumber } from '../arguments.ts';

export interface ListOptions {
  readonly limit: number;
  readonly all?: true | undefined;
}

const defaultLimit = 50;

/** Adds `--limit` and `--all`. */
export function addListOptions(command: Command): Command {
  return command
    .option('-n, --limit <n>', 'how many at most', wholeNumber(1), defaultLimit)
    .option('--all', 'all of them, however many');
}

/** How many items a list may bring; null is all. */
export function listLimit({ limit, all }: ListOptions): number | null {
  return all ? null : limit;
}
