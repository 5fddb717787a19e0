import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { kafkaBrokersVariable, mongodbUrlVariable } from '@posthorn/stack';
import { runCommand } from '../run-command.ts';
import { workspaceRoot } from '../workspace.ts';
import { codeOf, readDocumentation, type DocumentationPage } from './documentation.ts';
import { readMarkdown, type MarkdownLink } from './markdown.ts';

const pages = readDocumentation();

function page(path: string): DocumentationPage {
  const found = pages.find((one) => one.path === path);
  if (found === undefined) throw new Error(`there is no ${path}`);
  return found;
}

/** What is wrong with a link of a page; null when it leads somewhere. Links to other sites aren't followed, and
 * those of a template lead nowhere yet. */
function linkProblem(from: DocumentationPage, { target, line }: MarkdownLink): string | null {
  if (/^(https?|mailto):/.test(target) || target.includes('NNNN')) return null;
  const [path = '', anchor] = target.split('#');
  const problem = (what: string): string => `${from.path}:${line}: ${target} ${what}`;
  const file = path === '' ? from.path : normalize(join(dirname(from.path), decodeURIComponent(path)));
  if (path.startsWith('/') || file.startsWith('..')) return problem('leads out of the repository');
  if (!existsSync(join(workspaceRoot, file))) return problem('does not exist');
  if (anchor === undefined) return null;
  const { anchors } = path === '' ? from : readMarkdown(readFileSync(join(workspaceRoot, file), 'utf8'));
  return anchors.has(anchor) ? null : problem('is no heading there');
}

/** Every different match of the pattern's first group, with the page it is on. */
function mentions(pattern: RegExp, textOf: (page: DocumentationPage) => string): readonly [string, string][] {
  return pages.flatMap((one) =>
    [...new Set(Array.from(textOf(one).matchAll(pattern), ([, name = '']) => name))].map(
      (name): [string, string] => [one.path, name],
    ),
  );
}

function sourcesWith(text: string): string {
  return runCommand('git', [
    'grep',
    '-h',
    '--untracked',
    text,
    '--',
    'apps/**/*.ts',
    'libs/**/*.ts',
    ':!*.spec.ts',
  ]).toString();
}

describe('the documentation', () => {
  it('has no relative link or anchor that leads nowhere', () => {
    const problems = pages.flatMap((from) => from.links.map((link) => linkProblem(from, link)));
    expect(problems.filter((problem) => problem !== null)).toEqual([]);
    expect(linkProblem(page('README.md'), { target: 'docs/no-such-page.md', line: 1 })).not.toBeNull();
    expect(linkProblem(page('README.md'), { target: '#no-such-heading', line: 1 })).not.toBeNull();
  });

  it('lists every page in docs/README.md', () => {
    const listed = page('docs/README.md').links.map(({ target }) => join('docs', target));
    const wanted = pages.map(({ path }) => path).filter((path) => /^docs\/[^/]+\.md$/.test(path));
    expect(listed).toEqual(expect.arrayContaining(wanted.filter((path) => path !== 'docs/README.md')));
  });

  it('names no npm script that does not exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(workspaceRoot, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const named = mentions(/\bnpm (?:run (?:-s )?|(?=start\b|test\b))([\w:-]+)/g, codeOf);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter(([, script]) => !Object.hasOwn(scripts, script))).toEqual([]);
  });

  it('names no environment variable that docs/configuration.md does not explain', () => {
    const explained = new Set(
      Array.from(page('docs/configuration.md').text.matchAll(/^\| `(POSTHORN_\w+)`/gm), ([, name]) => name),
    );
    const named = mentions(/\b(POSTHORN_[A-Z0-9_]*[A-Z0-9])\b/g, ({ text }) => text);
    expect(explained.size).toBeGreaterThan(0);
    // Of the tests, not of the platform.
    const ofTests = new Set([kafkaBrokersVariable, mongodbUrlVariable]);
    expect(
      named.filter(
        ([, name]) =>
          !explained.has(name) && !explained.has(name.replace(/_FILE$/, '')) && !ofTests.has(name),
      ),
    ).toEqual([]);
  });

  it('explains every metric in docs/operations.md, and names none that does not exist', () => {
    const registered = new Set(
      Array.from(
        sourcesWith("name: 'posthorn_").matchAll(/name: '(posthorn_\w+)'/g),
        ([, name = '']) => name,
      ),
    );
    const explained = new Set(
      Array.from(page('docs/operations.md').text.matchAll(/^\| (`posthorn_[^|]*)/gm), ([, cell = '']) =>
        Array.from(cell.matchAll(/`(posthorn_\w+)`/g), ([, name = '']) => name),
      ).flat(),
    );
    expect([...explained].sort()).toEqual([...registered].sort());
    const named = mentions(/\b(posthorn_[a-z_]+[a-z])\b/g, ({ text }) => text);
    expect(
      named.filter(
        ([, name]) => !registered.has(name) && !registered.has(name.replace(/_(bucket|sum|count)$/, '')),
      ),
    ).toEqual([]);
  });

  it('tells the closed list of error codes, and no other, in docs/api.md', () => {
    const source = readFileSync(join(workspaceRoot, 'libs/models/src/errors.ts'), 'utf8');
    const list = /errorCodes = \[([^\]]*)\]/.exec(source)?.[1] ?? '';
    const codes = Array.from(list.matchAll(/'(\w+)'/g), ([, code]) => code);
    const told = Array.from(
      page('docs/api.md').text.matchAll(/^\| `([a-z_]+)` +\| \d{3} /gm),
      ([, code]) => code,
    );
    expect(codes.length).toBeGreaterThan(0);
    expect(told.sort()).toEqual(codes.sort());
  });
});
