/** The world of a command in a test: streams in memory, a clock that stands still, a signal that the test aborts. */
import { PassThrough, Readable } from 'node:stream';
import { FakeClock, createSeededRandom } from '@posthorn/testing';
import type { Environment } from '@posthorn/runtime';
import { runCli } from '../cli.ts';
import type { Io } from './io.ts';

export interface TestIo extends Io {
  readonly clock: FakeClock;
  /** What was written so far. */
  readonly written: { stdout(): string; stderr(): string };
  /** Ctrl-C. */
  interrupt(): void;
}

export interface TestIoOptions {
  readonly stdin?: string | Uint8Array;
  readonly env?: Environment;
  /** Makes standard output and error a terminal of that width. */
  readonly columns?: number;
}

export function createTestIo({ stdin = '', env = {}, columns }: TestIoOptions = {}): TestIo {
  const controller = new AbortController();
  const stdout = collected(columns);
  const stderr = collected(columns);
  return {
    stdin: Readable.from([stdin]),
    stdout: stdout.stream,
    stderr: stderr.stream,
    env,
    clock: new FakeClock(),
    random: createSeededRandom(1),
    signal: controller.signal,
    written: { stdout: stdout.text, stderr: stderr.text },
    interrupt: () => controller.abort(),
  };
}

export interface CommandRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in a world of its own. */
export async function runInTest(argv: readonly string[], options: TestIoOptions = {}): Promise<CommandRun> {
  const io = createTestIo(options);
  const code = await runCli(argv, io);
  return { code, stdout: io.written.stdout(), stderr: io.written.stderr() };
}

function collected(columns: number | undefined): { stream: Io['stdout']; text: () => string } {
  let text = '';
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const terminal = columns === undefined ? {} : { isTTY: true, columns };
  return { stream: Object.assign(stream, terminal), text: () => text };
}
