/**
 * Lines of a byte stream with a bound on each, so that a file without line feeds can't fill the memory. Lines are UTF-8;
 * one that isn't, or is too long, is reported with its number, and reading goes on after it.
 */

export interface Line {
  /** Counts from 1, empty lines included. */
  readonly number: number;
  /** The text without its line end; null when it can't be had. */
  readonly text: string | null;
  /** Why there is no text. */
  readonly problem?: 'too_long' | 'not_utf8';
}

const lineFeed = 0x0a;

/** Yields every line that isn't blank. A byte order mark at the start is dropped. */
export async function* readLines(
  source: AsyncIterable<Uint8Array | string>,
  maxLineBytes: number,
): AsyncGenerator<Line, void, undefined> {
  let parts: Uint8Array[] = [];
  let size = 0;
  let number = 0;

  const take = (part: Uint8Array): void => {
    size += part.length;
    if (size <= maxLineBytes) parts.push(part);
    else parts = [];
  };
  const finish = (): Line | null => {
    number += 1;
    const line = toLine(number, Buffer.concat(parts), size > maxLineBytes);
    parts = [];
    size = 0;
    return line.text === '' ? null : line;
  };

  for await (const chunk of source) {
    let rest = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    for (let end = rest.indexOf(lineFeed); end >= 0; end = rest.indexOf(lineFeed)) {
      take(rest.subarray(0, end));
      rest = rest.subarray(end + 1);
      const line = finish();
      if (line) yield line;
    }
    if (rest.length > 0) take(rest);
  }
  const last = size > 0 ? finish() : null;
  if (last) yield last;
}

function toLine(number: number, bytes: Uint8Array, isTooLong: boolean): Line {
  if (isTooLong) return { number, text: null, problem: 'too_long' };
  try {
    // A decoder of its own for each line: it drops the mark of the first one and no later one's.
    const decoder = number === 1 ? new TextDecoder('utf-8', { fatal: true }) : strictDecoder;
    return { number, text: decoder.decode(bytes).trim() };
  } catch {
    return { number, text: null, problem: 'not_utf8' };
  }
}

const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
