/** What the benchmarks' command lines have in common. */
import type { LoadLanguage } from './load-tools.ts';

/** What was read of a command line; when that throws, says why and how it is used, and sets the exit code. */
export function orUsage<T>(usage: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exitCode = 2;
    return undefined;
  }
}

export function positive(option: string, text: string): number {
  const number = Number(text);
  if (!(number > 0 && number < Infinity)) throw new Error(`${option} takes a number above 0.`);
  return number;
}

export function whole(option: string, text: string): number {
  const number = positive(option, text);
  if (!Number.isInteger(number)) throw new Error(`${option} takes whole numbers.`);
  return number;
}

export function language(text: string | undefined): LoadLanguage | undefined {
  if (text === undefined || text === 'go' || text === 'node') return text;
  throw new Error('--load takes go or node.');
}
