import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from '@posthorn/testing';
import { refuseSecrets, refuseSecretsInFiles, rememberSecret } from './known-secrets.ts';

/** The platform as its users run it: `posthorn serve`, a process of its own, that can be killed and started again. */
export interface PlatformProcess {
  readonly url: string;
  readonly dataDir: string;
  readonly operatorKey: string;
  /** Of the process that runs now. */
  readonly pid: number | undefined;
  /** Everything that it has written, standard output and error. */
  readonly output: () => string;
  start(): Promise<void>;
  /** `kill -9`, and waits until it is gone. */
  kill(): Promise<void>;
  /** Sends SIGTERM and answers the exit code. */
  stop(): Promise<number | null>;
  /**
   * Stops it if it runs, and removes its files; throws when it had ended by itself, or when a secret that a test of this file has seen stands
   * in its log, its metrics or its files.
   */
  dispose(): Promise<void>;
}

export interface PlatformProcessOptions {
  /** Beside or in place of the suites' own; what is undefined isn't set. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A directory of its own when absent; it is removed at the end either way. */
  readonly dataDir?: string;
}

const root = resolve(import.meta.dirname, '../../..');
export const operatorKey = 'operator-key-of-the-end-to-end-suites';

/** The command's arguments for node, without the command's own. */
const posthornArguments = [
  '--conditions=@posthorn/source',
  '--disable-warning=ExperimentalWarning',
  join(root, 'apps/standalone/src/main.ts'),
];

/** Prepares a platform on a port and in a directory of its own; both stay the same over restarts. */
export async function preparePlatform(options: PlatformProcessOptions = {}): Promise<PlatformProcess> {
  const { env = {}, dataDir = mkdtempSync(join(tmpdir(), 'posthorn-e2e-')) } = options;
  const port = await freePort();
  rememberSecret('the operator key', operatorKey);
  let output = '';
  let child: ChildProcess | undefined;

  async function ended(signal: NodeJS.Signals): Promise<number | null> {
    const running = child;
    child = undefined;
    if (running === undefined) return null;
    if (running.exitCode !== null || running.signalCode !== null) {
      const how = running.exitCode ?? running.signalCode;
      throw new Error(`posthorn had ended by itself (${how}):\n${output.slice(-5000)}`);
    }
    const exit = new Promise<number | null>((done) => running.once('exit', (code) => done(code)));
    running.kill(signal);
    return exit;
  }

  /** While it runs, if it does: what it has written a moment ago is in files of its own then. */
  async function searchForSecrets(): Promise<void> {
    const isRunning = child !== undefined && child.exitCode === null && child.signalCode === null;
    if (isRunning)
      refuseSecrets('the metrics', await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
    refuseSecretsInFiles(dataDir);
  }

  return {
    url: `http://127.0.0.1:${port}`,
    dataDir,
    operatorKey,
    get pid() {
      return child?.pid;
    },
    output: () => output,
    async start() {
      const started = spawn(process.execPath, [...posthornArguments, 'serve'], {
        env: {
          PATH: process.env['PATH'],
          POSTHORN_PORT: String(port),
          POSTHORN_DATA_DIR: dataDir,
          POSTHORN_OPERATOR_KEY: operatorKey,
          POSTHORN_ALLOW_TARGETS: '127.0.0.0/8',
          ...env,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      child = started;
      await new Promise<void>((ready, fail) => {
        const collect = (chunk: Buffer): void => {
          output += chunk.toString();
          if (output.slice(before).includes('listening on')) ready();
        };
        const before = output.length;
        started.stdout.on('data', collect);
        started.stderr.on('data', collect);
        started.once('exit', (code) =>
          fail(new Error(`posthorn ended with ${code}:\n${output.slice(before)}`)),
        );
      });
    },
    kill: async () => void (await ended('SIGKILL')),
    stop: () => ended('SIGTERM'),
    async dispose() {
      try {
        await searchForSecrets();
      } finally {
        await ended('SIGTERM').finally(() => rmSync(dataDir, { recursive: true, force: true }));
      }
      refuseSecrets('the output', output);
    },
  };
}
