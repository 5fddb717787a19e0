/**
 * The publisher and the receiver: in Go, built from `load/`, or, where Go isn't installed, the same in Node (`load-node/`).
 * Both speak the same lines on standard input and output; see the Go sources.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { payloadMembers } from './payload.ts';
import { start } from './processes.ts';
import type { Running } from './processes.ts';
import { typeNames } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';

export interface LoadTools {
  /** For the report. */
  readonly kind: string;
  readonly publisher: Running;
  readonly receiver: Running;
  /** The ports that the receiver listens on. */
  readonly ports: readonly number[];
}

/** What the publisher is asked to do; field by field in `job` of load/publish.go. */
export interface PublishJob {
  readonly port: number;
  readonly connections: number;
  readonly rate: number;
  readonly first: number;
  readonly count: number;
  readonly batch: number;
  readonly keys: readonly string[];
  readonly types: readonly string[];
  readonly rest: string;
  readonly out: string;
}

export interface PublishResult {
  /** Requests that got another answer than 202, or none. */
  readonly refused: number;
  /** The first of them. */
  readonly example: string;
  /** Why nothing was published at all, or empty. */
  readonly error: string;
}

export type LoadLanguage = 'go' | 'node';

/** Builds the Go program; undefined with a reason on standard error where that isn't possible. */
function buildGo(): string | undefined {
  const binary = join(import.meta.dirname, '.build', 'load');
  const { status, error, stderr } = spawnSync('go', ['build', '-o', binary, '.'], {
    cwd: join(import.meta.dirname, 'load'),
    encoding: 'utf8',
  });
  if (status === 0) return binary;
  const reason = error === undefined ? `go build failed:\n${stderr}` : `Go isn't there (${error.message})`;
  console.error(
    `${reason}. The load generator and the receiver in Node do instead, and take more of the machine:`,
  );
  console.error('rates are lower than with the ones in Go, ratios are about the same.');
  return undefined;
}

export async function startLoadTools(
  portCount: number,
  language: LoadLanguage | undefined,
): Promise<LoadTools> {
  const binary = language === 'node' ? undefined : buildGo();
  if (binary === undefined && language === 'go') throw new Error('--load go, and Go is not usable.');
  const tool = (name: 'publish' | 'receive'): Running =>
    binary === undefined
      ? start({
          command: process.execPath,
          args: [join(import.meta.dirname, 'load-node', `${name}.ts`)],
        })
      : start({ command: binary, args: [name] });
  const receiver = tool('receive');
  return {
    kind: binary === undefined ? 'Node (undici, node:http)' : 'Go',
    publisher: tool('publish'),
    receiver,
    ports: (await receiver.ask(`listen ${portCount}`)).split(' ').map(Number),
  };
}

/** Publishes `count` events of a scenario, numbered from `first` on; resolves when every request has its answer. */
export type Publish = (first: number, count: number) => Promise<PublishResult>;

/** For one server. Each time, `out` has what was published since `first`. */
export function createPublish(
  { publisher }: LoadTools,
  scenario: Pick<Scenario, 'connections' | 'rate' | 'batch' | 'types'>,
  server: Pick<PublishJob, 'port' | 'keys' | 'out'>,
): Publish {
  const { connections, rate, batch } = scenario;
  return async (first, count) => {
    const job: PublishJob = {
      ...server,
      connections,
      rate,
      batch,
      first,
      count,
      types: typeNames(scenario),
      rest: payloadMembers,
    };
    const result = JSON.parse(await publisher.ask(JSON.stringify(job), 300_000)) as PublishResult;
    if (result.error !== '') throw new Error(`The publisher failed: ${result.error}`);
    return result;
  };
}

/** Rows of numbers as the tools write them. */
export function readRows(file: string): Float64Array {
  const bytes = readFileSync(file);
  const rows = new Float64Array(bytes.length / Float64Array.BYTES_PER_ELEMENT);
  new Uint8Array(rows.buffer).set(bytes);
  return rows;
}
