/**
 * Configuration from the environment. A service declares its entries once; from the declaration come the typed values, the
 * problems (all of them at once, each with the variable, what it says and what is allowed) and docs/configuration.md.
 */
import { readFileSync } from 'node:fs';
import type { ConfigParser } from './config-parsers.ts';

/** One variable: how it is read, what it is without, and what it means. */
export interface ConfigEntry<T> {
  readonly env: string;
  readonly parser: ConfigParser<unknown>;
  /** The value when the variable is absent or empty; without one it must be set. */
  readonly default?: T;
  /** The default in words, where the value itself would tell nothing. */
  readonly defaultText?: string;
  readonly description: string;
  /** Never shown; may also come from the file that the variable with `_FILE` appended names. */
  readonly secret?: boolean;
}

/** Entries by the names under which a service knows them. */
export type ConfigSpec = Readonly<Record<string, ConfigEntry<unknown>>>;

/** The values of a spec. */
export type ConfigOf<S extends ConfigSpec> = {
  readonly [K in keyof S]: S[K] extends ConfigEntry<infer T> ? T : never;
};

/** Declares an entry with the parser's type, widened by the default's (`null` for what may be absent). */
export function configEntry<T, const D extends T | null = T>(
  entry: Omit<ConfigEntry<T | D>, 'parser' | 'default'> & {
    readonly parser: ConfigParser<T>;
    readonly default?: D;
  },
): ConfigEntry<T | D> {
  return entry;
}

/** The variables as a process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One thing that is wrong, in a sentence that begins with the variable's name. */
export interface ConfigProblem {
  readonly variable: string;
  readonly message: string;
}

/** Thrown with everything that is wrong with the configuration. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(['The configuration is not valid:', ...problems.map(({ message }) => `  ${message}`)].join('\n'));
    this.problems = problems;
  }
}

export interface ReadConfigOptions {
  /** Every variable of the deployment: others that begin with POSTHORN_ are then problems, for they are likely typing errors. */
  readonly knownNames?: readonly string[];
  /** There are other programs with variables of their own: one that isn't known is a problem only when it looks like one that is. */
  readonly ignoresOthers?: boolean;
}

const prefix = 'POSTHORN_';
/** Set for tests of Posthorn itself, wherever they start a process. */
const testPrefix = 'POSTHORN_TEST_';

/** Reads the values of a spec; throws a `ConfigError` with all problems. */
export function readConfig<S extends ConfigSpec>(
  spec: S,
  env: Environment,
  options: ReadConfigOptions = {},
): ConfigOf<S> {
  const problems: ConfigProblem[] = [];
  const values = Object.entries(spec).map(([key, entry]) => [key, readEntry(entry, env, problems)]);
  if (options.knownNames !== undefined)
    problems.push(
      ...unknownVariables(env, [...options.knownNames, ...configNames(spec)], options.ignoresOthers === true),
    );
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.fromEntries(values) as ConfigOf<S>;
}

/** The names of a spec's variables, with those of files that secrets may come from. */
export function configNames(spec: ConfigSpec): string[] {
  return Object.values(spec).flatMap((entry) =>
    entry.secret ? [entry.env, `${entry.env}_FILE`] : [entry.env],
  );
}

function readEntry(entry: ConfigEntry<unknown>, env: Environment, problems: ConfigProblem[]): unknown {
  const given = entry.secret ? readSecret(entry.env, env, problems) : env[entry.env];
  if (given === undefined || given === '') {
    // Undefined is told apart: a secret whose file can't be read has been reported already.
    if (!('default' in entry) && !problems.some(({ variable }) => variable === entry.env))
      problems.push({
        variable: entry.env,
        message: `${entry.env} must be set: ${entry.parser.allowed}.`,
      });
    return entry.default;
  }
  const value = entry.parser.parse(given);
  if (value === undefined) {
    const shown = entry.secret ? 'its value' : JSON.stringify(given);
    problems.push({
      variable: entry.env,
      message: `${entry.env} must be ${entry.parser.allowed}; ${shown} is not.`,
    });
  }
  return value;
}

function readSecret(variable: string, env: Environment, problems: ConfigProblem[]): string | undefined {
  const file = env[`${variable}_FILE`];
  if (file === undefined || file === '') return env[variable];
  if (env[variable]) {
    problems.push({ variable, message: `${variable} and ${variable}_FILE are both set; set one.` });
    return undefined;
  }
  try {
    return readFileSync(file, 'utf8').trimEnd();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    problems.push({ variable, message: `${variable}_FILE names ${file}, which can't be read (${code}).` });
    return undefined;
  }
}

function unknownVariables(env: Environment, known: readonly string[], onlyNear: boolean): ConfigProblem[] {
  const names = new Set(known);
  return Object.keys(env)
    .filter((name) => name.startsWith(prefix) && !name.startsWith(testPrefix) && !names.has(name))
    .map((variable) => ({ variable, near: nearest(variable, known) }))
    .filter(({ near }) => near !== undefined || !onlyNear)
    .map(({ variable, near }) => ({
      variable,
      message: `${variable} is not a variable of Posthorn.${near === undefined ? '' : ` Did you mean ${near}?`}`,
    }));
}

/** The name that takes the fewest typing errors to become this one; none when even that takes more than three. */
function nearest(name: string, candidates: readonly string[]): string | undefined {
  const [best] = candidates
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .filter(({ distance }) => distance <= 3)
    .toSorted((a, b) => a.distance - b.distance);
  return best?.candidate;
}

/** Levenshtein's: how many letters to insert, remove or replace. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [row, letter] of [...from].entries()) {
    const current = [row + 1];
    for (const [column, other] of [...to].entries()) {
      const replaced = (previous[column] ?? 0) + (letter === other ? 0 : 1);
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}

/** A variable as the documentation shows it. */
export interface ConfigDescription {
  readonly variable: string;
  readonly allowed: string;
  /** Null when the variable must be set. */
  readonly default: string | null;
  readonly description: string;
  readonly secret: boolean;
}

/** A spec for docs/configuration.md, in the order of its entries. */
export function describeConfig(spec: ConfigSpec): ConfigDescription[] {
  return Object.values(spec).map((entry) => ({
    variable: entry.env,
    allowed: entry.parser.allowed,
    default: 'default' in entry ? (entry.defaultText ?? describeDefault(entry.default, entry.parser)) : null,
    description: entry.description,
    secret: entry.secret ?? false,
  }));
}

function describeDefault(value: unknown, parser: ConfigParser<unknown>): string {
  if (value === null || (Array.isArray(value) && value.length === 0)) return 'none';
  if (parser.format !== undefined) return parser.format(value);
  return Array.isArray(value) ? value.join(',') : `${value as string | number | boolean}`;
}
