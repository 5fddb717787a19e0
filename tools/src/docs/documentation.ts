/** The documentation: every Markdown file that git knows or would add. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../run-command.ts';
import { workspaceRoot } from '../workspace.ts';
import { readMarkdown, type MarkdownPage } from './markdown.ts';

export interface DocumentationPage extends MarkdownPage {
  /** Relative to the root. */
  readonly path: string;
  readonly text: string;
}

export function readDocumentation(): readonly DocumentationPage[] {
  const listed = runCommand('git', [
    'ls-files',
    '-z',
    '--cached',
    '--others',
    '--exclude-standard',
    '*.md',
  ]).toString();
  return listed
    .split('\0')
    .filter((path) => path !== '' && existsSync(join(workspaceRoot, path)))
    .map((path) => {
      const text = readFileSync(join(workspaceRoot, path), 'utf8');
      return { path, text, ...readMarkdown(text) };
    });
}

/** All that a page shows as code, blocks and spans. */
export function codeOf({ blocks, codeSpans }: MarkdownPage): string {
  return [...blocks.map(({ text }) => text), ...codeSpans].join('\n');
}
