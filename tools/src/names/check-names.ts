/** Checks the names of all files that git knows or would add. */
import { existsSync } from 'node:fs';
import { runCommand } from '../run-command.ts';
import { nameProblems } from './name-problems.ts';

const listed = runCommand('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard']).toString();
const paths = listed.split('\0').filter((path) => path !== '' && existsSync(path));
const problems = nameProblems(paths);
for (const problem of problems) console.error(problem);
console.log(`${paths.length} files, ${problems.length} bad names`);
process.exitCode = problems.length > 0 ? 1 : 0;
