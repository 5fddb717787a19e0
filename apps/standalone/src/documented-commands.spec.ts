import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInTest } from './terminal/io.harness.ts';

/** Every command line that the README and docs/ show, held against the help of the command that it would run. */

const root = join(import.meta.dirname, '../../..');
const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)].filter((path) =>
  path.endsWith('.md'),
);

/** Blocks of shell code, and what stands between single backticks. */
const code = /^```sh\n([^]*?)^```$|`([^`\n]+)`/gm;
/** From `posthorn` to the end of its command: what is quoted is one word. */
const commandLine = /(?:^|[ (])posthorn((?: +(?:'[^']*'|"[^"]*"|[^\s'"|>#()]+))+)/gm;
const word = /'[^']*'|"[^"]*"|\S+/g;
const globalOptionsWithValue = ['--url', '--key', '--organisation'];

function shownIn(page: string): readonly string[] {
  const text = readFileSync(join(root, page), 'utf8');
  const pieces = Array.from(text.matchAll(code), ([, block, span]) => block ?? span ?? '');
  return pieces.flatMap((piece) => Array.from(piece.matchAll(commandLine), ([, rest = '']) => rest.trim()));
}

/** The command's name and, where it is a group, its subcommand's: what comes first that is no global option. */
async function pathOf(words: readonly string[]): Promise<readonly string[]> {
  const names = words.filter(
    (one, index) => !one.startsWith('--') && !globalOptionsWithValue.includes(words[index - 1] ?? ''),
  );
  const [first, second] = names;
  if (first === undefined || first.startsWith('<')) return [];
  const { stdout } = await runInTest([first, '--help']);
  return second !== undefined && stdout.includes('\nCommands:\n') ? [first, second] : [first];
}

const shown = pages.flatMap((page) => [...new Set(shownIn(page))].map((text) => [page, text] as const));

test('the documentation shows command lines', () => {
  expect(shown.length).toBeGreaterThan(20);
});

test.each(shown)('%s: posthorn %s', async (_page, text) => {
  const words = text.match(word) ?? [];
  const path = await pathOf(words);
  const { stdout } = await runInTest([...path, '--help']);
  expect(stdout.split('\n', 1)[0]).toContain(`Usage: ${['posthorn', ...path].join(' ')} `);
  const options = words.filter((one) => one.startsWith('--'));
  expect(
    options.filter((option) => !stdout.includes(`${option} `) && !stdout.includes(`${option}\n`)),
  ).toEqual([]);
});
