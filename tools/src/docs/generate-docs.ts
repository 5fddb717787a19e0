/**
 * `npm run docs` writes the pages that are made from the code; with `--check` (`npm run docs:check`) it only says
 * which of them are out of date. A page is the standard output of a command: add yours to PAGES.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { runCommand } from '../run-command.ts';
import { workspaceRoot } from '../workspace.ts';

interface GeneratedPage {
  /** Relative to the root. */
  readonly path: string;
  /** Arguments of node; what it prints is the page, before prettier. */
  readonly node: readonly string[];
}

const PAGES: readonly GeneratedPage[] = [
  { path: 'docs/decisions/README.md', node: ['tools/src/docs/decisions-page.ts'] },
  { path: 'docs/configuration.md', node: ['tools/src/docs/configuration-page.ts'] },
];

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });

for (const { path, node } of PAGES) {
  const file = join(workspaceRoot, path);
  const printed = runCommand('node', node).toString();
  const page = await format(printed, { ...(await resolveConfig(file)), filepath: file });
  const upToDate = existsSync(file) && readFileSync(file, 'utf8') === page;
  if (values.check && !upToDate) {
    console.error(`${path} is out of date; run: npm run docs`);
    process.exitCode = 1;
  } else {
    if (!upToDate) writeFileSync(file, page);
    console.log(`${path} ${upToDate ? 'is up to date' : 'written'}`);
  }
}
