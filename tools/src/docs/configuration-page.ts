/** Prints the configuration page from what the programs declare of their variables, as each of them lists it itself. */
import { runCommand } from '../run-command.ts';

interface Variable {
  /** The program that reads it. */
  readonly of: string;
  readonly variable: string;
  readonly allowed: string;
  /** Null when it must be set. */
  readonly default: string | null;
  readonly description: string;
  readonly secret: boolean;
}

const SERVICES = ['gateway', 'event-ingest', 'dispatcher', 'config'] as const;

const ofStandalone = variablesOf('apps/standalone/src/main.ts', ['environment', '--json']);
const ofServices = SERVICES.flatMap((name) => variablesOf(`apps/${name}/src/main.ts`, ['--help', '--json']));

console.log(`# Configuration

Everything is configured by environment variables. \`posthorn serve --check-config\` tells every problem at once, unknown
variables that begin with \`POSTHORN_\` included; \`posthorn environment\` prints this list. Each of the four services has
\`--check-config\` and \`--help\` for what it reads. This page is generated (\`npm run docs\`).

Durations are milliseconds or have a unit (\`15s\`, \`5m\`), sizes are bytes or have one (\`256KiB\`), lists are separated by
commas. A secret may also be in a file: put the file's path into the variable with \`_FILE\` at its end.

## The platform in one process (\`posthorn serve\`)

${table(ofStandalone.filter(({ of }) => of === 'serve'))}

## The four services

All of them may be given the same environment: each takes what it knows. What the others read is no problem to it,
unless it looks like a typing error.

${table(ofServices)}

## The command line

${table(ofStandalone.filter(({ of }) => of === 'client'))}`);

function variablesOf(program: string, args: readonly string[]): readonly Variable[] {
  const listed = runCommand('node', [
    '--conditions=@posthorn/source',
    '--disable-warning=ExperimentalWarning',
    program,
    ...args,
  ]);
  return listed
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Variable);
}

/** A row for each variable, with the programs that read it where there are several. */
function table(variables: readonly Variable[]): string {
  const readers = new Map<string, Variable[]>();
  for (const variable of variables) {
    readers.set(variable.variable, [...(readers.get(variable.variable) ?? []), variable]);
  }
  const isShared = new Set(variables.map(({ of }) => of)).size > 1;
  const head = ['variable', ...(isShared ? ['read by'] : []), 'default', 'meaning', 'allowed'];
  const rows = [...readers.values()].flatMap(([variable, ...others]) => {
    if (variable === undefined) return [];
    const differs = others.find(
      (other) => JSON.stringify({ ...other, of: variable.of }) !== JSON.stringify(variable),
    );
    if (differs !== undefined) {
      throw new Error(`${variable.variable} is another thing in ${variable.of} than in ${differs.of}`);
    }
    const by =
      others.length === SERVICES.length - 1 ? 'all' : [variable, ...others].map(({ of }) => of).join(', ');
    return [
      [
        `\`${variable.variable}\``,
        ...(isShared ? [by] : []),
        defaultOf(variable),
        cell(`${variable.description}${variable.secret ? ' Secret.' : ''}`),
        cell(variable.allowed),
      ],
    ];
  });
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Values as code, words as words. */
function defaultOf({ default: value }: Variable): string {
  if (value === null) return '*must be set*';
  return /^[\w./:,-]+$/.test(value) && value !== 'none' ? `\`${value}\`` : cell(value);
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
