/** Names that say nothing about what is inside, so that everything ends up there. */
const EMPTY_NAMES = new Set([
  'common',
  'shared',
  'util',
  'utils',
  'utilities',
  'helper',
  'helpers',
  'core',
  'types',
  'constants',
  'misc',
]);
/** The same as a word of a longer name; `event-types.ts` is fine, `string-utils.ts` isn't. */
const EMPTY_WORDS = new Set(['util', 'utils', 'helper', 'helpers', 'misc']);

const SOURCE = /^(apps|libs|tools|bench|docs)\//;
const GENERATED = /^libs\/contracts\/src\/gen\//;
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*$/;
/** Names that others fixed. */
const GIVEN = /^(README\.md|Dockerfile|go\.(mod|sum)|\..*)$/;

/**
 * What is wrong with the names of these files and of their folders, a line for each problem.
 *
 * @param paths relative to the root, with `/`
 */
export function nameProblems(paths: readonly string[]): readonly string[] {
  return paths.filter((path) => !GENERATED.test(path)).flatMap(problemsOf);
}

function problemsOf(path: string): readonly string[] {
  const segments = path.split('/');
  const file = segments.at(-1) ?? '';
  const problems: string[] = [];
  for (const segment of segments) {
    const stem = segment.split('.')[0] ?? '';
    if (EMPTY_NAMES.has(stem) || stem.split('-').some((word) => EMPTY_WORDS.has(word))) {
      problems.push(`${path}: "${stem}" says nothing; name it after what it does`);
    }
    if (SOURCE.test(path) && !GIVEN.test(segment) && !segment.split('.').every((part) => KEBAB.test(part))) {
      problems.push(`${path}: "${segment}" isn't kebab-case`);
    }
  }
  if (file === 'index.ts' && !/^(apps|libs|tools)\/[^/]+\/src\/index\.ts$/.test(path)) {
    problems.push(`${path}: index.ts only at a project's root`);
  }
  return problems;
}
