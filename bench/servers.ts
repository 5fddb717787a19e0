/** Starts what is measured, each time anew on an empty directory: the platform, or the bare loop. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Agent, request } from 'undici';
import type { BareLoopConfig } from './bare-loop.ts';
import { start } from './processes.ts';
import type { Running } from './processes.ts';
import { plannedEndpoints } from './scenarios.ts';
import type { PlannedEndpoint, Scenario, Subject } from './scenarios.ts';

export interface Server {
  readonly process: Running;
  readonly port: number;
  /** A key for each organisation. */
  readonly keys: readonly string[];
  /** Since it was last asked for, the 10 ms between two looks included; null when it isn't published. */
  eventLoopP99Ms(): Promise<number | null>;
}

export interface ServerOptions {
  readonly scenario: Scenario;
  /** Ports of the receiver, which endpoints share in turn. */
  readonly ports: readonly number[];
  /** An empty directory. */
  readonly directory: string;
  /** Where to write a CPU profile when the process ends. */
  readonly profile?: string;
}

const repository = dirname(import.meta.dirname);
const startTimeoutMs = 60_000;
const client = new Agent({ connections: 8 });

export function startServer(name: Subject['server'], options: ServerOptions): Promise<Server> {
  return name === 'posthorn' ? startPosthorn(options) : startBareLoop(options);
}

async function startPosthorn({ scenario, ports, directory, profile }: ServerOptions): Promise<Server> {
  const operatorKey = randomBytes(24).toString('hex');
  const { running, url } = await launchPosthorn({ directory, operatorKey, profile });
  const keys = await provision({ url, operatorKey, scenario, ports });
  return server(running, url, keys);
}

/** The platform on a directory, which may have been another's before; resolves when it listens. */
export async function launchPosthorn({
  directory,
  operatorKey,
  profile,
}: {
  readonly directory: string;
  readonly operatorKey: string;
  readonly profile?: string | undefined;
}): Promise<{ readonly running: Running; readonly url: string }> {
  const running = start({
    command: process.execPath,
    args: [
      ...nodeOptions(profile),
      '--conditions=@posthorn/source',
      join(repository, 'apps/standalone/src/main.ts'),
      'serve',
    ],
    env: {
      POSTHORN_PORT: '0',
      POSTHORN_DATA_DIR: directory,
      POSTHORN_OPERATOR_KEY: operatorKey,
      POSTHORN_ALLOW_TARGETS: '127.0.0.0/8',
      POSTHORN_LOG_LEVEL: 'warn',
    },
  });
  return { running, url: await addressOf(running) };
}

/** Where organisations and endpoints are made. */
export interface ProvisionOptions {
  /** Of the REST API. */
  readonly url: string;
  readonly operatorKey: string;
  readonly scenario: Scenario;
  /** Of the receiver. */
  readonly ports: readonly number[];
  /** What the names of organisations begin with. */
  readonly prefix?: string;
}

/** Makes a scenario's organisations and endpoints, and answers a key for each organisation. */
export async function provision(options: ProvisionOptions): Promise<readonly string[]> {
  const { url, operatorKey, scenario, ports, prefix = 'bench' } = options;
  const create = async <T>(path: string, body: object): Promise<T> => {
    const response = await request(`${url}/v1/${path}`, {
      dispatcher: client,
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${operatorKey}` },
      body: JSON.stringify(body),
    });
    const text = await response.body.text();
    if (response.statusCode !== 201) throw new Error(`POST ${path}: ${response.statusCode} ${text}`);
    return JSON.parse(text) as T;
  };

  const slugs = Array.from({ length: scenario.organisations }, (_, index) => `${prefix}-${index}`);
  const keys: string[] = [];
  for (const slug of slugs) {
    await create('organisations', { slug, name: slug });
    const { token } = await create<{ token: string }>('keys', {
      name: 'bench',
      scopes: ['events:write'],
      organisation: slug,
    });
    keys.push(token);
  }
  const todo = plannedEndpoints(scenario);
  const createNext = async (): Promise<void> => {
    for (let endpoint = todo.shift(); endpoint !== undefined; endpoint = todo.shift()) {
      await create('endpoints', {
        url: urlOf(endpoint, ports),
        eventTypes: [endpoint.type],
        organisation: slugs[endpoint.organisation],
      });
    }
  };
  await Promise.all(Array.from({ length: 8 }, createNext));
  return keys;
}

async function startBareLoop({ scenario, ports, directory, profile }: ServerOptions): Promise<Server> {
  const keys = Array.from({ length: scenario.organisations }, () => randomBytes(24).toString('hex'));
  const config: BareLoopConfig = {
    database: join(directory, 'bare.db'),
    endpoints: plannedEndpoints(scenario).map((endpoint) => ({
      key: keys[endpoint.organisation] ?? '',
      type: endpoint.type,
      url: urlOf(endpoint, ports),
      secret: randomBytes(32).toString('base64'),
    })),
  };
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'config.json');
  writeFileSync(file, JSON.stringify(config));
  const running = start({
    command: process.execPath,
    args: [...nodeOptions(profile), join(import.meta.dirname, 'bare-loop.ts'), file],
  });
  return server(running, await addressOf(running), keys);
}

function nodeOptions(profile: string | undefined): string[] {
  return [
    '--disable-warning=ExperimentalWarning',
    ...(profile === undefined
      ? []
      : [
          '--cpu-prof',
          `--cpu-prof-dir=${dirname(profile)}`,
          `--cpu-prof-name=${profile.slice(dirname(profile).length + 1)}`,
        ]),
  ];
}

function urlOf({ number, hangs }: PlannedEndpoint, ports: readonly number[]): string {
  return `http://127.0.0.1:${ports[number % ports.length]}/${hangs ? 'hang' : 'e'}/${number}`;
}

async function addressOf(running: Running): Promise<string> {
  const line = await running.line((text) => text.startsWith('listening on '), startTimeoutMs);
  return line.slice('listening on '.length).trim();
}

function server(running: Running, url: string, keys: readonly string[]): Server {
  return {
    process: running,
    port: Number(new URL(url).port),
    keys,
    async eventLoopP99Ms() {
      const response = await request(`${url}/metrics`, { dispatcher: client });
      const text = await response.body.text();
      const [, seconds] = /^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(text) ?? [];
      return seconds === undefined ? null : Number(seconds) * 1_000;
    },
  };
}
