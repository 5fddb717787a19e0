import fc from 'fast-check';
import { readLines, type Line } from './read-lines.ts';

async function linesOf(chunks: readonly Uint8Array[], maxLineBytes = 1_000): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const line of readLines(asyncOf(chunks), maxLineBytes)) lines.push(line);
  return lines;
}

async function* asyncOf<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}

test('lines keep their numbers, blank ones count but are not given', async () => {
  expect(await linesOf([Buffer.from('a\n\n  \r\nb\r\nc')])).toEqual([
    { number: 1, text: 'a' },
    { number: 4, text: 'b' },
    { number: 5, text: 'c' },
  ]);
});

test('a byte order mark at the start is dropped', async () => {
  expect(await linesOf([Buffer.from('\ufeff{"a":1}\n{}')])).toEqual([
    { number: 1, text: '{"a":1}' },
    { number: 2, text: '{}' },
  ]);
});

test('a line that is too long or not UTF-8 is reported, and reading goes on', async () => {
  const chunks = [Buffer.from(`${'x'.repeat(20)}\n`), Buffer.from([0xc3, 0x28, 0x0a]), Buffer.from('ok')];
  expect(await linesOf(chunks, 10)).toEqual([
    { number: 1, text: null, problem: 'too_long' },
    { number: 2, text: null, problem: 'not_utf8' },
    { number: 3, text: 'ok' },
  ]);
});

test('where the stream is cut into chunks makes no difference', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '日', '👍', '\n', ' ') }), { maxLength: 8 }),
      fc.array(fc.nat(20), { maxLength: 10 }),
      async (parts, cuts) => {
        const bytes = Buffer.from(parts.join('\n'));
        const chunks: Uint8Array[] = [];
        let at = 0;
        for (const cut of cuts) {
          chunks.push(bytes.subarray(at, at + cut));
          at += cut;
        }
        chunks.push(bytes.subarray(at));
        expect(await linesOf(chunks)).toEqual(await linesOf([bytes]));
      },
    ),
  );
});
