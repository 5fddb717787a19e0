/** Prints the configuration page from what the services declare of their variables, as `posthorn environment` lists it. */
import { runCommand } from '../run-command.ts';

interface Variable {
  readonly of: 'serve' | 'client';
  readonly variable: string;
  readonly allowed: string;
  /** Null when it must be set. */
  readonly default: string | null;
  readonly description: string;
  readonly secret: boolean;
}

const listed = runCommand('node', [
  '--conditions=@posthorn/source',
  '--disable-warning=ExperimentalWarning',
  'apps/standalone/src/main.ts',
  'environment',
  '--json',
]);
const variables = listed
  .toString()
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Variable);

console.log(`# Configuration

Everything is configured by environment variables. \`posthorn serve --check-config\` tells every problem at once, unknown
variables that begin with \`POSTHORN_\` included; \`posthorn environment\` prints this list. This page is generated
(\`npm run docs\`).

Durations are milliseconds or have a unit (\`15s\`, \`5m\`), sizes are bytes or have one (\`256KiB\`), lists are separated by
commas. A secret may also be in a file: put the file's path into the variable with \`_FILE\` at its end.

## The platform (\`posthorn serve\`)

${table('serve')}

## The command line

${table('client')}`);

function table(of: Variable['of']): string {
  const rows = variables
    .filter((variable) => variable.of === of)
    .map((variable) => {
      const secret = variable.secret ? ' Secret.' : '';
      return `| \`${variable.variable}\` | ${defaultOf(variable)} | ${cell(`${variable.description}${secret}`)} | ${cell(variable.allowed)} |`;
    });
  return ['| variable | default | meaning | allowed |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** Values as code, words as words. */
function defaultOf({ default: value }: Variable): string {
  if (value === null) return '*must be set*';
  return /^[\w./:,-]+$/.test(value) && value !== 'none' ? `\`${value}\`` : cell(value);
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
