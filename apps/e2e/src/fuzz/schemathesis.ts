/** Schemathesis, which makes requests from an OpenAPI document: installed from PyPI into a cache outside the checkout. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readStackConfig } from '@posthorn/stack';

const version = '4.32.5';
const outputBytes = 64 * 1024 * 1024;

export interface SchemathesisRun {
  /** The document's URL. */
  readonly document: string;
  /** Only paths that match. */
  readonly paths: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Checks that don't apply. */
  readonly withoutChecks: readonly string[];
  /** For each operation, at most. */
  readonly examples: number;
  readonly seed: number;
}

export interface SchemathesisResult {
  readonly cases: number;
  /** Null when nothing was found. */
  readonly finding: string | null;
}

/**
 * Installs it unless it is there already.
 *
 * @returns the program
 * @throws with what is missing, and how to get it
 */
export function installSchemathesis(tell: (line: string) => void): string {
  const directory = join(readStackConfig().cacheDir, `schemathesis-${version}`);
  const program = join(directory, 'bin/schemathesis');
  if (existsSync(program)) return program;
  tell(`installing Schemathesis ${version} into ${directory}`);
  try {
    execFileSync('python3', ['-m', 'venv', '--clear', directory], { stdio: 'pipe' });
    execFileSync(join(directory, 'bin/pip'), ['install', '--quiet', `schemathesis==${version}`], {
      stdio: 'pipe',
    });
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw new Error(
      `Schemathesis ${version} couldn't be installed: it takes Python 3.10 or newer with venv (on Debian: ` +
        `apt-get install python3-venv) and a way to PyPI. ${String(error)}`,
      { cause: error },
    );
  }
  return program;
}

export async function runSchemathesis(program: string, run: SchemathesisRun): Promise<SchemathesisResult> {
  const { document, paths, headers, withoutChecks, examples, seed } = run;
  const output = await new Promise<{ code: number; text: string }>((done) =>
    execFile(
      program,
      [
        'run',
        document,
        `--include-path-regex=${paths}`,
        ...Object.entries(headers).map(([name, value]) => `--header=${name}: ${value}`),
        `--exclude-checks=${withoutChecks.join(',')}`,
        '--phases=examples,coverage,fuzzing',
        `--max-examples=${examples}`,
        `--seed=${seed}`,
        '--continue-on-failure',
        '--request-timeout=60',
        '--suppress-health-check=all',
        '--warnings=off',
        '--generation-database=none',
        '--no-color',
      ],
      // It leaves a folder of its own where it runs.
      { maxBuffer: outputBytes, cwd: dirname(program) },
      (error, stdout, stderr) => done({ code: error === null ? 0 : 1, text: stdout + stderr }),
    ),
  );
  const cases = Number(/(\d+) generated/.exec(output.text)?.[1] ?? 0);
  return { cases, finding: output.code === 0 ? null : output.text };
}
