import { createTestIo } from './io.harness.ts';
import { createOutput } from './output.ts';
import type { Column } from './table.ts';

const columns: readonly Column<number>[] = [{ header: 'N', value: (n) => n }];

async function* numbers(count: number): AsyncGenerator<number> {
  for (let n = 1; n <= count; n += 1) yield await Promise.resolve(n);
}

test('a list for programs is a line of JSON for each item, and nothing else', async () => {
  const io = createTestIo({ columns: 80 });
  await createOutput(io, { json: true }).list(numbers(3), columns, 'There are none.');
  expect(io.written.stdout()).toBe('1\n2\n3\n');
  expect(io.written.stderr()).toBe('');
});

test('an empty list for programs is empty, and for people a note on standard error', async () => {
  const forPrograms = createTestIo();
  await createOutput(forPrograms, { json: true }).list([], columns, 'There are none.');
  expect(forPrograms.written.stdout() + forPrograms.written.stderr()).toBe('');

  const forPeople = createTestIo();
  await createOutput(forPeople, { json: false }).list([], columns, 'There are none.');
  expect(forPeople.written.stdout()).toBe('');
  expect(forPeople.written.stderr()).toBe('There are none.\n');
});

test('a list of any length has one header', async () => {
  const io = createTestIo();
  await createOutput(io, { json: false }).list(numbers(600), columns, '');
  const lines = io.written.stdout().trimEnd().split('\n');
  expect(lines).toHaveLength(601);
  expect(lines.filter((line) => line === 'N')).toHaveLength(1);
});

test('text for people is not printed for programs', async () => {
  const io = createTestIo();
  await createOutput(io, { json: true }).text('hello');
  expect(io.written.stdout()).toBe('');
});

test.each([
  ['a terminal', { columns: 80 }, true],
  ['a pipe', {}, false],
  ['a terminal with NO_COLOR', { columns: 80, env: { NO_COLOR: '1' } }, false],
  ['a dumb terminal', { columns: 80, env: { TERM: 'dumb' } }, false],
])('%s gets colour only if it wants it', (_name, options, isColoured) => {
  const { style } = createOutput(createTestIo(options), { json: false });
  expect(style('red', 'text') === 'text').toBe(!isColoured);
});
