/**
 * The JSON file with what the APIs don't show: secrets, keys, and the endpoints of xurrent.
 *
 *     {"endpoints": [{"id": "0192…", "secret": "…"}]}
 *     {"policies": [{"name": "6f3a…", "key": "-----BEGIN PRIVATE KEY-----…"}],
 *      "endpoints": [{"id": "crm", "url": "https://…", "policy": "6f3a…", "eventTypes": ["person.*"]}]}
 */
import type { Violation } from '@posthorn/models';
import { CliError, exitCodes } from '../exit-codes.ts';

export interface ImportFile {
  readonly endpoints: readonly FileEndpoint[];
  readonly policies: readonly FilePolicy[];
}

export interface FileEndpoint {
  /** The id that it has at the source; for xurrent, which has none, any name of your own. */
  readonly id: string;
  readonly secret?: string | undefined;
  readonly url?: string | undefined;
  readonly name?: string | undefined;
  readonly policy?: string | undefined;
  readonly eventTypes?: readonly string[] | undefined;
  readonly disabled?: boolean | undefined;
}

export interface FilePolicy {
  readonly name: string;
  readonly key: string;
}

export const noFile: ImportFile = { endpoints: [], policies: [] };

/** Reads what the file holds. Throws a usage error with everything that is wrong with it. */
export function readImportFile(value: unknown): ImportFile {
  const violations: Violation[] = [];
  const refuse = (field: string, message: string): void =>
    void violations.push({ field, code: 'invalid', message });

  function object(
    given: unknown,
    field: string,
    known: readonly string[],
  ): Readonly<Record<string, unknown>> {
    if (typeof given !== 'object' || given === null || Array.isArray(given)) {
      refuse(field, 'This must be an object.');
      return {};
    }
    for (const name of Object.keys(given)) {
      if (!known.includes(name))
        refuse(`${field}/${name}`, `There is no such field; there are ${known.join(', ')}.`);
    }
    return given as Readonly<Record<string, unknown>>;
  }
  function list(given: unknown, field: string): readonly unknown[] {
    if (given === undefined) return [];
    if (Array.isArray(given)) return given;
    refuse(field, 'This must be a list.');
    return [];
  }
  function text(given: unknown, field: string): string | undefined {
    if (given === undefined || typeof given === 'string') return given;
    refuse(field, 'This must be text.');
    return undefined;
  }
  function required(given: unknown, field: string): string {
    if (given === undefined || given === '') refuse(field, 'This is required.');
    return text(given, field) ?? '';
  }

  const root = object(value, '', ['endpoints', 'policies']);
  const endpoints = list(root['endpoints'], '/endpoints').map((given, at): FileEndpoint => {
    const field = `/endpoints/${at}`;
    const entry = object(given, field, ['id', 'secret', 'url', 'name', 'policy', 'eventTypes', 'disabled']);
    const { eventTypes, disabled } = entry;
    const types = eventTypes === undefined ? undefined : list(eventTypes, `${field}/eventTypes`);
    if (disabled !== undefined && typeof disabled !== 'boolean')
      refuse(`${field}/disabled`, 'This must be true or false.');
    return {
      id: required(entry['id'], `${field}/id`),
      secret: text(entry['secret'], `${field}/secret`),
      url: text(entry['url'], `${field}/url`),
      name: text(entry['name'], `${field}/name`),
      policy: text(entry['policy'], `${field}/policy`),
      eventTypes: types?.flatMap((type, index) => text(type, `${field}/eventTypes/${index}`) ?? []),
      disabled: disabled === true,
    };
  });
  const policies = list(root['policies'], '/policies').map((given, at): FilePolicy => {
    const field = `/policies/${at}`;
    const entry = object(given, field, ['name', 'key']);
    return { name: required(entry['name'], `${field}/name`), key: required(entry['key'], `${field}/key`) };
  });
  refuseRepeated(
    '/endpoints',
    endpoints.map(({ id }) => id),
    refuse,
  );
  refuseRepeated(
    '/policies',
    policies.map(({ name }) => name),
    refuse,
  );

  if (violations.length === 0) return { endpoints, policies };
  throw new CliError(
    exitCodes.usage,
    'The file is not as it should be (posthorn import --help).',
    violations.map(({ field, message }) => `  ${field === '' ? '/' : field}  ${message}`),
  );
}

function refuseRepeated(
  field: string,
  names: readonly string[],
  refuse: (field: string, message: string) => void,
): void {
  names.forEach((name, at) => {
    if (name !== '' && names.indexOf(name) !== at)
      refuse(`${field}/${at}`, `This is the same as entry ${names.indexOf(name)}.`);
  });
}
