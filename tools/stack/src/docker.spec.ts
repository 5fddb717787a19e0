/** Docker as far as it can be tested without an engine: which commands are given to it. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort } from '@posthorn/testing';
import { writeBson } from './bson.ts';
import { ensureKafka, startKafka } from './kafka.ts';
import { startMongodb } from './mongodb.ts';
import { silent } from './progress.ts';

describe('with Docker', () => {
  let folder: string;
  let pathBefore: string | undefined;
  let server: Server | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'posthorn-docker-'));
    pathBefore = process.env['PATH'];
    process.env['PATH'] = `${folder}:${pathBefore ?? ''}`;
  });

  afterEach(async () => {
    process.env['PATH'] = pathBefore;
    await new Promise((resolve) => (server === undefined ? resolve(null) : server.close(resolve)));
    server = undefined;
    rmSync(folder, { recursive: true });
  });

  /** A `docker` that notes what it is asked to do; `answers` is shell code that may see to some of it. */
  function installDocker(answers = ''): void {
    const script = `#!/bin/sh
echo "$*" >>'${join(folder, 'commands')}'
case "$*" in
  ${answers}
  'inspect '*) echo true 0 ;;
esac
`;
    writeFileSync(join(folder, 'docker'), script, { mode: 0o755 });
  }

  const commands = (): readonly string[] => readFileSync(join(folder, 'commands'), 'utf8').trim().split('\n');
  const command = (verb: string): string => commands().find((line) => line.startsWith(verb)) ?? '';

  /** What the container would publish: answers each request alike. */
  async function listen(port: number, answer: Buffer): Promise<void> {
    server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => socket.write(answer));
    });
    await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve));
  }

  test('Kafka is the official image, told its settings by its environment, and its port is published on 127.0.0.1', async () => {
    installDocker("'image inspect'*) exit 1 ;;");
    const port = await freePort();
    // Length, correlation id, no throttling, one broker.
    await listen(port, Buffer.from([0, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]));
    const kafka = await startKafka({ own: true, port });
    expect(kafka).toMatchObject({ source: 'docker', version: '4.3.1', brokers: [`127.0.0.1:${port}`] });
    expect(commands()).toContain('pull apache/kafka:4.3.1');
    const run = command('run');
    expect(run).toContain(`--publish 127.0.0.1:${port}:${port}`);
    expect(run).toContain('--env KAFKA_PROCESS_ROLES=broker,controller');
    expect(run).toContain(`--env KAFKA_LISTENERS=PLAINTEXT://0.0.0.0:${port},CONTROLLER://127.0.0.1:`);
    expect(run).toContain(`--env KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://127.0.0.1:${port}`);
    expect(run).toMatch(/ apache\/kafka:4\.3\.1$/);

    const name = /--name (\S+)/.exec(run)?.[1] ?? '';
    await kafka.kill();
    await kafka.restart();
    await kafka.suspend();
    await kafka.resume();
    await kafka.stop();
    expect(commands().filter((line) => line.endsWith(name) && !line.startsWith('inspect'))).toEqual([
      `kill --signal KILL ${name}`,
      `stop --time 20 ${name}`,
      `start ${name}`,
      `pause ${name}`,
      `unpause ${name}`,
      `rm --force --volumes ${name}`,
    ]);
  });

  test('MongoDB is the official image as a replica set of one', async () => {
    installDocker();
    const port = await freePort();
    const body = writeBson({ ok: 1, setName: 'posthorn', version: '8.2.3' });
    const primary = Buffer.concat([Buffer.from('\x08isWritablePrimary\x00\x01', 'latin1'), body.subarray(4)]);
    const message = Buffer.alloc(25);
    message.writeInt32LE(25 + primary.length, 0);
    message.writeInt32LE(2013, 12);
    message.writeInt32LE(4 + primary.length, 21);
    await listen(port, Buffer.concat([message, primary]));
    const mongodb = await startMongodb({ own: true, port });
    expect(mongodb).toMatchObject({
      source: 'docker',
      version: '8.2.3',
      description: 'MongoDB 8.2.3 (Docker image mongo:8)',
      url: `mongodb://127.0.0.1:${port}/?directConnection=true`,
    });
    expect(command('run')).toContain(` mongo:8 --replSet posthorn --port ${port} --bind_ip_all`);
    await mongodb.stop();
  });

  test('a container that ends while it starts is an error with its last words, and is removed', async () => {
    installDocker(`'inspect '*) echo false 137 ;;
  'logs '*) echo out of memory ;;`);
    await expect(startKafka({ own: true })).rejects.toThrow(
      "Kafka 4.3.1 (Docker image apache/kafka:4.3.1) didn't start: its container ended (137). Its last words:\nout of memory",
    );
    expect(command('rm')).toMatch(/^rm --force --volumes posthorn-kafka-/);
  });

  test('an image that cannot be pulled is told, and the next way is taken', async () => {
    installDocker(`'image inspect'*|'pull '*) echo no such host; exit 1 ;;`);
    const steps: string[] = [];
    // Nor is there a Java.
    process.env['PATH'] = folder;
    await expect(ensureKafka({ ...silent, step: (line) => steps.push(line) })).rejects.toThrow(
      `There is no Kafka for the tests:
  - POSTHORN_TEST_KAFKA_BROKERS isn't set
  - docker pull apache/kafka:4.3.1 failed: no such host
  - Maven Central: needs Java 17 or newer, which is not there ('java')
Any one of these helps:
  1. give one: POSTHORN_TEST_KAFKA_BROKERS=host:port
  2. start a Docker engine; the image is apache/kafka:4.3.1
  3. install Java 17 or newer and Maven, on Debian: apt-get install openjdk-17-jre-headless maven`,
    );
    expect(steps).toEqual([
      'pulling apache/kafka:4.3.1',
      'docker pull apache/kafka:4.3.1 failed: no such host',
    ]);
  });

  test('what a killed starter leaves is removed by the guardian of the container', async () => {
    installDocker("'run '*) kill -KILL $PPID ;;");
    const program = `
      import { createContainerRunner } from ${JSON.stringify(join(import.meta.dirname, 'docker.ts'))};
      await createContainerRunner({ image: 'image', product: 'kafka', port: 1 }).start();`;
    const { signal } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
      env: process.env,
    });
    expect(signal).toBe('SIGKILL');
    await eventually(() => existsSync(join(folder, 'commands')) && command('rm').includes('posthorn-kafka-'));
  });

  test('MongoDB names what its build lacks, and three ways to get one', async () => {
    process.env['PATH'] = folder;
    process.env['XDG_CACHE_HOME'] = folder;
    try {
      await expect(startMongodb({ own: true })).rejects.toThrow(
        /no Docker engine answers\n {2}- crates\.io: the build of secantusd-rs needs cargo, cmake, make, c\+\+\n[^]*3\. install Rust/,
      );
    } finally {
      delete process.env['XDG_CACHE_HOME'];
    }
  });
});
