/** Which dialects are served, under which paths and by which name: the `POSTHORN_DIALECT…` variables and what they come to. */
import { ConfigError, configEntry, configParsers, type ConfigOf } from '@posthorn/runtime';
import { createOwnerLookup } from '../owner.ts';
import { dialectNames, nativeClaims, prefixesOf, type DialectName } from './prefixes.ts';

export interface DialectSettings {
  /** Where its routes begin; the empty text is the root. The first is the one that the reference and links name. */
  readonly basePaths: readonly string[];
  /** What it calls itself. */
  readonly brand: string;
  /** Requests that a key may send in any hour; null where the dialect has no such limit. */
  readonly requestsPerHour: number | null;
}

/** The dialects that are on. */
export type DialectsConfig = Readonly<Partial<Record<DialectName, DialectSettings>>>;

/** As its originals are reached, and as they call themselves. */
export const standardDialects: Required<DialectsConfig> = {
  ricloud: { basePaths: [''], brand: 'ricloud', requestsPerHour: null },
  xurrent: { basePaths: ['', '/v1'], brand: 'Xurrent', requestsPerHour: 3_600 },
  rapidly: { basePaths: ['/api/webhooks'], brand: 'Rapidly', requestsPerHour: null },
  preo: { basePaths: ['', '/api/management'], brand: 'Preo', requestsPerHour: null },
};

const { choice, integer, list, text } = configParsers;

const names: configParsers.ConfigParser<readonly DialectName[]> = {
  allowed: `all, none, or a list, separated by commas, of ${dialectNames.join(', ')}`,
  parse(value) {
    if (value.trim() === 'all') return dialectNames;
    return value.trim() === 'none' ? [] : list(choice(dialectNames)).parse(value);
  },
};

const basePath: configParsers.ConfigParser<string> = {
  allowed: 'a path such as /hooks, or / for the root',
  parse: (value) => (value === '/' ? '' : /^(?:\/[A-Za-z0-9._~-]+)+$/.test(value) ? value : undefined),
};

const basePaths: configParsers.ConfigParser<readonly string[]> = {
  ...list(basePath),
  format: (paths) => paths.map((path) => path || '/').join(','),
};

const pathEntry = (name: DialectName): ReturnType<typeof configEntry<readonly string[]>> =>
  configEntry<readonly string[]>({
    env: `POSTHORN_DIALECT_${name.toUpperCase()}_PATH`,
    parser: basePaths,
    default: standardDialects[name].basePaths,
    description: `Where the dialect ${name} is served. Its links begin with the first.`,
  });

const brandEntry = (name: DialectName): ReturnType<typeof configEntry<string>> =>
  configEntry<string>({
    env: `POSTHORN_DIALECT_${name.toUpperCase()}_BRAND`,
    parser: text({ maxLength: 64 }),
    default: standardDialects[name].brand,
    description: `What the dialect ${name} calls itself in the reference and in its answers.`,
  });

/** The variables about dialects. */
export const dialectConfigSpec = {
  dialectNames: configEntry<readonly DialectName[]>({
    env: 'POSTHORN_DIALECTS',
    parser: names,
    default: dialectNames,
    defaultText: 'all',
    description: 'Which other APIs are served beside the native one.',
  }),
  ricloudPath: pathEntry('ricloud'),
  ricloudBrand: brandEntry('ricloud'),
  xurrentPath: pathEntry('xurrent'),
  xurrentBrand: brandEntry('xurrent'),
  xurrentRequestsPerHour: configEntry({
    env: 'POSTHORN_DIALECT_XURRENT_REQUESTS_PER_HOUR',
    parser: integer({ min: 1, max: 1_000_000_000 }),
    default: standardDialects.xurrent.requestsPerHour,
    description: 'How many requests a key may send to the dialect xurrent in any hour, in each process.',
  }),
  rapidlyPath: pathEntry('rapidly'),
  rapidlyBrand: brandEntry('rapidly'),
  preoPath: pathEntry('preo'),
  preoBrand: brandEntry('preo'),
} as const;

/** The dialects that are on, from values that were read with `dialectConfigSpec`. Throws a `ConfigError` when paths overlap. */
export function dialectsConfigOf(values: ConfigOf<typeof dialectConfigSpec>): DialectsConfig {
  const all: Required<DialectsConfig> = {
    ricloud: { basePaths: values.ricloudPath, brand: values.ricloudBrand, requestsPerHour: null },
    xurrent: {
      basePaths: values.xurrentPath,
      brand: values.xurrentBrand,
      requestsPerHour: values.xurrentRequestsPerHour,
    },
    rapidly: { basePaths: values.rapidlyPath, brand: values.rapidlyBrand, requestsPerHour: null },
    preo: { basePaths: values.preoPath, brand: values.preoBrand, requestsPerHour: null },
  };
  const on: DialectsConfig = Object.fromEntries(
    Object.entries(all).filter(([name]) => values.dialectNames.some((given) => given === name)),
  );
  refuseOverlaps(on);
  return on;
}

/** The names in it, in the order of `dialectNames`. */
export function namesOf(dialects: DialectsConfig): readonly DialectName[] {
  return dialectNames.filter((name) => dialects[name] !== undefined);
}

function refuseOverlaps(dialects: DialectsConfig): void {
  const claims = namesOf(dialects).map((name) => ({
    name,
    prefixes: prefixesOf(name, dialects[name]?.basePaths ?? []),
  }));
  try {
    createOwnerLookup([nativeClaims, ...claims]);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ConfigError([
      {
        variable: 'POSTHORN_DIALECTS',
        message: `${message} Set another POSTHORN_DIALECT_…_PATH, or leave the dialect out of POSTHORN_DIALECTS.`,
      },
    ]);
  }
}
