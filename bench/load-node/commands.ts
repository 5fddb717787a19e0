/**
 * What both ends have in common where Go isn't installed: lines on standard input and output, and files of rows; as in
 * `load/main.go`. Simple rather than light: with Go, much less of the machine goes into measuring.
 */
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** Answers each line of standard input with a line, one after the other; the process ends with its input. */
export async function answerCommands(handle: (line: string) => string | Promise<string>): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) console.log(await handle(line));
  process.exit(0);
}

export function nowMicros(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1_000);
}

export function writeRows(file: string, numbers: readonly number[]): void {
  writeFileSync(file, new Uint8Array(Float64Array.from(numbers).buffer));
}
