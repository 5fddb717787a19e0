/** Parsers of options and arguments. What they refuse is a usage error, reported by commander with the option's name. */
import { readFile } from 'node:fs/promises';
import type { Clock } from '@posthorn/runtime';
import { InvalidArgumentError } from 'commander';
import { CliError, exitCodes } from './exit-codes.ts';
import type { Io } from './terminal/io.ts';

/** A whole number within bounds. */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(
        max === Number.MAX_SAFE_INTEGER
          ? `It must be a whole number, ${min} or more.`
          : `It must be a whole number from ${min} to ${max}.`,
      );
    }
    return value;
  };
}

/** How much of something there may be: a whole number, or `none` (which commander wouldn't let be null). */
export type LimitArgument = number | 'none';

export function limitOrNone(text: string): LimitArgument {
  return text === 'none' ? 'none' : wholeNumber(0)(text);
}

/** An option that may be given several times. */
export function collect(text: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), text];
}

/** `name=value`, several times: the last value of a name counts. */
export function collectPairs(
  text: string,
  previous: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const { name, value } = pair(text);
  return { ...previous, [name]: value };
}

/** `name=value` or `name=value,value`, several times: the values of a name add up. */
export function collectChoices(
  text: string,
  previous: Readonly<Record<string, readonly string[]>> | undefined,
): Readonly<Record<string, readonly string[]>> {
  const { name, value } = pair(text);
  return { ...previous, [name]: [...(previous?.[name] ?? []), ...value.split(',')] };
}

/** `5000,60000`: whole numbers with commas between them; an empty text is none. */
export function numberList(text: string): readonly number[] {
  return text === '' ? [] : text.split(',').map((part) => wholeNumber(0)(part.trim()));
}

export interface RateLimitArgument {
  readonly perSecond: number;
  readonly burst?: number;
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600 };

/** `10/s`, `30/min`, `100/h`, and with a burst `10/s,50`. */
export function rateLimit(text: string): RateLimitArgument {
  const [, count, unit = '', burst] = /^(\d+(?:\.\d+)?)\/(s|min|h)(?:,(\d+))?$/.exec(text) ?? [];
  const seconds = unitSeconds[unit];
  if (seconds === undefined) {
    throw new InvalidArgumentError('It must look like 10/s, 30/min or 10/s,50 (with a burst of 50).');
  }
  return { perSecond: Number(count) / seconds, ...(burst !== undefined && { burst: Number(burst) }) };
}

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time that may be relative to now. */
export interface Moment {
  /** RFC 3339. */
  at(clock: Clock): string;
}

/** A moment as RFC 3339, or as an age: `90s`, `15m`, `2h`, `3d` ago. */
export function moment(text: string): Moment {
  const ageMs = lengthOf(text);
  if (ageMs !== null) return { at: (clock) => new Date(clock.now() - ageMs).toISOString() };
  const time = parseTime(text);
  if (time === null) {
    throw new InvalidArgumentError(
      'It must be a time such as 2026-01-31T12:00:00Z, or an age such as 15m or 2h.',
    );
  }
  return { at: () => time };
}

/** A moment as RFC 3339, or as a delay: in `90s`, `15m`, `2h`, `3d`. */
export function laterMoment(text: string): Moment {
  const delayMs = lengthOf(text);
  if (delayMs !== null) return { at: (clock) => new Date(clock.now() + delayMs).toISOString() };
  const time = parseTime(text);
  if (time === null) {
    throw new InvalidArgumentError(
      'It must be a time such as 2026-01-31T12:00:00Z, or a delay such as 15m or 2h.',
    );
  }
  return { at: () => time };
}

/** A hundred years: times that far away can still be written. */
const longestMs = 36_500 * 86_400_000;

/** Milliseconds of `90s`, `15m`, `2h`, `3d`; null for anything else. */
function lengthOf(text: string): number | null {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const lengthMs = Number(amount) * (unitMs[unit ?? ''] ?? NaN);
  return lengthMs <= longestMs ? lengthMs : null;
}

/** A time as RFC 3339. */
export function timestamp(text: string): string {
  const time = parseTime(text);
  if (time === null) throw new InvalidArgumentError('It must be a time such as 2026-01-31T12:00:00Z.');
  return time;
}

function parseTime(text: string): string | null {
  const time = new Date(text);
  return /^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(time.getTime()) ? time.toISOString() : null;
}

/** An address of HTTP. */
export function httpUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new InvalidArgumentError('It must be a URL that begins with http:// or https://.');
  }
  return text;
}

/** An argument that holds data: as it is, `@file` for a file's content, `-` for standard input. Must be UTF-8. */
export async function readData(text: string, io: Pick<Io, 'stdin'>): Promise<string> {
  if (text !== '-' && !text.startsWith('@')) return text;
  const bytes = text === '-' ? await readAll(io.stdin) : await readNamedFile(text.slice(1));
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new CliError(
      exitCodes.usage,
      `${text === '-' ? 'Standard input' : text.slice(1)} isn't UTF-8 text.`,
    );
  }
}

/** Like `readData`, for a JSON value; `name` says in the error what it is. */
export async function readJson(text: string, name: string, io: Pick<Io, 'stdin'>): Promise<unknown> {
  const data = await readData(text, io);
  try {
    return JSON.parse(data) as unknown;
  } catch (error) {
    throw notJson(name, error);
  }
}

/** The usage error for text that should have been JSON. */
export function notJson(name: string, error: unknown): CliError {
  return new CliError(
    exitCodes.usage,
    `${name} isn't JSON: ${error instanceof Error ? error.message : String(error)}`,
    ['In a shell, put JSON in single quotes: \'{"orderId":42}\''],
  );
}

async function readAll(source: AsyncIterable<Uint8Array | string>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(typeof part === 'string' ? Buffer.from(part) : part);
  return Buffer.concat(parts);
}

async function readNamedFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw cannotRead(path, error);
  }
}

/** The usage error for a file that can't be read. */
export function cannotRead(path: string, error: unknown): CliError {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason =
    code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a directory' : message;
  return new CliError(exitCodes.usage, `${path} can't be read: ${reason}.`);
}

function pair(text: string): { name: string; value: string } {
  const split = text.indexOf('=');
  if (split < 1) throw new InvalidArgumentError('It must look like name=value.');
  return { name: text.slice(0, split), value: text.slice(split + 1) };
}
