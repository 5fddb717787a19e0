import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cidr, durationMs, integer, list, text } from './config-parsers.ts';
import { ConfigError, configEntry, configNames, describeConfig, readConfig } from './config-reader.ts';

const spec = {
  port: configEntry({
    env: 'POSTHORN_PORT',
    parser: integer({ min: 0, max: 65_535 }),
    default: 8080,
    description: 'Where to listen.',
  }),
  timeoutMs: configEntry({
    env: 'POSTHORN_TIMEOUT_MS',
    parser: durationMs({ min: 1, max: 60_000 }),
    default: 15_000,
    description: 'How long to wait.',
  }),
  allowTargets: configEntry({
    env: 'POSTHORN_ALLOW_TARGETS',
    parser: list(cidr),
    default: [],
    description: 'Which addresses deliveries may reach although they are not public.',
  }),
  encryptionKey: configEntry({
    env: 'POSTHORN_ENCRYPTION_KEY',
    parser: text({ minLength: 32 }),
    default: null,
    defaultText: 'made on the first start',
    secret: true,
    description: 'What secrets are encrypted with.',
  }),
  databaseUrl: configEntry({
    env: 'POSTHORN_DATABASE_URL',
    parser: text(),
    description: 'Where the database is.',
  }),
};
const minimal = { POSTHORN_DATABASE_URL: 'mongodb://localhost' };
const key = 'k'.repeat(32);

function problemsOf(env: Record<string, string>, knownNames?: readonly string[]): readonly string[] {
  try {
    readConfig(spec, env, knownNames && { knownNames });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ message }) => message);
    throw error;
  }
  return [];
}

describe('readConfig', () => {
  it('gives each value its type, and defaults where nothing is set', () => {
    const config = readConfig(spec, minimal);

    const typed: { port: number; encryptionKey: string | null; allowTargets: readonly string[] } = config;
    expect(typed).toEqual({
      port: 8080,
      timeoutMs: 15_000,
      allowTargets: [],
      encryptionKey: null,
      databaseUrl: 'mongodb://localhost',
    });
  });

  it('reads what is set', () => {
    const config = readConfig(spec, {
      ...minimal,
      POSTHORN_PORT: '0',
      POSTHORN_ALLOW_TARGETS: '127.0.0.0/8,::1',
      POSTHORN_ENCRYPTION_KEY: key,
    });

    expect(config).toMatchObject({ port: 0, allowTargets: ['127.0.0.0/8', '::1'], encryptionKey: key });
  });

  it('takes an empty value for none', () => {
    expect(readConfig(spec, { ...minimal, POSTHORN_PORT: '' }).port).toBe(8080);
  });

  it('reports all problems at once, each with the variable, what it says and what is allowed', () => {
    expect(problemsOf({ POSTHORN_PORT: '80 80', POSTHORN_TIMEOUT_MS: '2m' })).toEqual([
      'POSTHORN_PORT must be a whole number from 0 to 65535; "80 80" is not.',
      'POSTHORN_TIMEOUT_MS must be a duration from 1ms to 1m, in milliseconds or with a unit (ms, s, m, h, d); "2m" is not.',
      'POSTHORN_DATABASE_URL must be set: text.',
    ]);
  });

  it('puts every problem into the message of the error', () => {
    expect(() => readConfig(spec, { POSTHORN_PORT: 'x' })).toThrow(/POSTHORN_PORT[^]*POSTHORN_DATABASE_URL/);
  });

  it('never shows a secret', () => {
    const [problem] = problemsOf({ ...minimal, POSTHORN_ENCRYPTION_KEY: 'swordfish' });

    expect(problem).toContain('POSTHORN_ENCRYPTION_KEY must be text of 32 characters or more');
    expect(problem).not.toContain('swordfish');
  });

  describe('unknown variables', () => {
    const known = ['POSTHORN_OTHER_SERVICE'];

    it('are problems, with the name that was likely meant', () => {
      expect(problemsOf({ ...minimal, POSTHORN_PROT: '1', POSTHORN_NONSENSE_XYZ: '1' }, known)).toEqual([
        'POSTHORN_PROT is not a variable of Posthorn. Did you mean POSTHORN_PORT?',
        'POSTHORN_NONSENSE_XYZ is not a variable of Posthorn.',
      ]);
    });

    it('are not those of other services, of other programs, or of tests', () => {
      const env = {
        ...minimal,
        POSTHORN_OTHER_SERVICE: '1',
        POSTHORN_ENCRYPTION_KEY_FILE: '',
        POSTHORN_TEST_SEED: '1',
        PATH: '/bin',
      };

      expect(problemsOf(env, known)).toEqual([]);
    });

    it('are nobody’s business when the known names are not given', () => {
      expect(problemsOf({ ...minimal, POSTHORN_PROT: '1' })).toEqual([]);
    });
  });

  describe('a secret in a file', () => {
    let directory: string;
    beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'posthorn-config-'))));
    afterEach(() => rmSync(directory, { recursive: true }));

    it('is read without the line feed at its end', () => {
      const file = join(directory, 'key');
      writeFileSync(file, `${key}\n`);

      expect(readConfig(spec, { ...minimal, POSTHORN_ENCRYPTION_KEY_FILE: file }).encryptionKey).toBe(key);
    });

    it('is one problem when the file can not be read', () => {
      const file = join(directory, 'nothing');

      expect(problemsOf({ ...minimal, POSTHORN_ENCRYPTION_KEY_FILE: file })).toEqual([
        `POSTHORN_ENCRYPTION_KEY_FILE names ${file}, which can't be read (ENOENT).`,
      ]);
    });

    it('is a problem when the variable is set too', () => {
      const env = { ...minimal, POSTHORN_ENCRYPTION_KEY_FILE: '/x', POSTHORN_ENCRYPTION_KEY: key };

      expect(problemsOf(env)).toEqual([
        'POSTHORN_ENCRYPTION_KEY and POSTHORN_ENCRYPTION_KEY_FILE are both set; set one.',
      ]);
    });
  });
});

describe('describeConfig', () => {
  it('shows each variable with what is allowed and its default, in the order of the spec', () => {
    const rows = describeConfig(spec);

    expect(rows.map((row) => row.variable)).toEqual(Object.values(spec).map((entry) => entry.env));
    expect(rows.map((row) => row.default)).toEqual(['8080', '15s', 'none', 'made on the first start', null]);
    expect(rows[0]).toEqual({
      variable: 'POSTHORN_PORT',
      allowed: 'a whole number from 0 to 65535',
      default: '8080',
      description: 'Where to listen.',
      secret: false,
    });
  });
});

describe('configNames', () => {
  it('has the variables of files that secrets may come from', () => {
    expect(configNames(spec)).toEqual([
      'POSTHORN_PORT',
      'POSTHORN_TIMEOUT_MS',
      'POSTHORN_ALLOW_TARGETS',
      'POSTHORN_ENCRYPTION_KEY',
      'POSTHORN_ENCRYPTION_KEY_FILE',
      'POSTHORN_DATABASE_URL',
    ]);
  });
});
