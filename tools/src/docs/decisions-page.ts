/** Prints the list of decisions from the titles and states of their pages. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { workspaceRoot } from '../workspace.ts';

const folder = join(workspaceRoot, 'docs/decisions');

console.log(`# Decisions

What a newcomer would question: why it is as it is, and what else was considered. A page is never rewritten when we
change our minds; a new one takes its place and says so. To add one, copy [the template](0000-template.md), take the
next number, and run \`npm run docs\` (this page is generated).

| | decision | status |
| --- | --- | --- |`);
const taken = new Map<string, string>();
for (const file of readdirSync(folder).sort()) {
  if (!/^\d{4}-.*\.md$/.test(file) || file.startsWith('0000')) continue;
  const number = file.slice(0, 4);
  const other = taken.get(number);
  if (other !== undefined) throw new Error(`${other} and ${file} have the same number`);
  taken.set(number, file);
  const text = readFileSync(join(folder, file), 'utf8');
  const title = /^# \d{4}\. (.+)$/m.exec(text)?.[1];
  const status = /^Status: (.+)$/m.exec(text)?.[1];
  if (title === undefined || status === undefined) {
    throw new Error(`${file} needs a title "# NNNN. …" and a line "Status: …"`);
  }
  console.log(`| ${number} | [${title}](${file}) | ${status} |`);
}
