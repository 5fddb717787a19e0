import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { systemClock, type Clock } from './clock.ts';
import { ConfigError } from './config-reader.ts';
import { fakeProcess } from './fake-process.harness.ts';
import { exitCodes, runService, type RunnableService } from './run-service.ts';

const config = { logLevel: 'info', stopTimeoutMs: 5_000 } as const;

function run(
  service: Partial<RunnableService<typeof config>>,
  argv?: readonly string[],
  clock: Clock = systemClock,
) {
  const fake = fakeProcess(argv);
  const lines: string[] = [];
  const running = runService(
    {
      name: 'test',
      readConfig: () => config,
      start: async () => undefined,
      logDestination: { write: (line) => lines.push(line) },
      ...service,
    },
    { process: fake.port, clock },
  );
  return { ...fake, lines, running };
}

describe('running a service', () => {
  it.each(['SIGTERM', 'SIGINT'])('releases what it acquired and exits with 0 on %s', async (signal) => {
    const released: string[] = [];
    const { running, emit, events, exits, lines } = run({
      start: async (_config, { lifecycle }) => {
        lifecycle.defer('database', () => released.push('database'));
        lifecycle.defer('server', () => released.push('server'));
      },
    });
    await running;
    expect(exits).toEqual([]);
    expect(lines.join('')).toContain('"msg":"ready"');

    emit(signal);
    await once(events, 'exit');

    expect(released).toEqual(['server', 'database']);
    expect(exits).toEqual([exitCodes.stopped]);
  });

  it('exits with 1 when a release fails', async () => {
    const { running, emit, events, exits } = run({
      start: async (_config, { lifecycle }) =>
        lifecycle.defer('server', () => Promise.reject(new Error('stuck'))),
    });
    await running;

    emit('SIGTERM');
    await once(events, 'exit');

    expect(exits).toEqual([exitCodes.failed]);
  });

  it('exits at once on a second signal, but takes what follows within half a second for the same Ctrl-C', async () => {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    let now = 0;
    const { running, emit, events, exits } = run(
      { start: async (_config, { lifecycle }) => lifecycle.defer('server', () => released) },
      [],
      { ...systemClock, monotonic: () => now },
    );
    await running;

    emit('SIGINT');
    now = 400;
    emit('SIGINT');
    expect(exits).toEqual([]);
    now = 600;
    emit('SIGTERM');

    expect(exits).toEqual([exitCodes.failed]);
    release();
    await once(events, 'exit');
  });

  it('says what is wrong with the configuration, starts nothing, and exits with 2', async () => {
    let started = false;
    const { running, written, exits } = run({
      readConfig: () => {
        throw new ConfigError([{ variable: 'POSTHORN_PORT', message: 'POSTHORN_PORT must be a port.' }]);
      },
      start: async () => void (started = true),
    });

    await running;

    expect(started).toBe(false);
    expect(written.stderr).toContain('POSTHORN_PORT must be a port.');
    expect(exits).toEqual([exitCodes.badConfiguration]);
  });

  it('only checks the configuration with --check-config', async () => {
    let started = false;
    const { running, written, exits } = run({ start: async () => void (started = true) }, ['--check-config']);

    await running;

    expect(started).toBe(false);
    expect(written.stdout).toContain('valid');
    expect(exits).toEqual([exitCodes.stopped]);
  });

  it('releases what was acquired before the start failed, and exits with 1', async () => {
    const released: string[] = [];
    const { running, exits, lines } = run({
      start: async (_config, { lifecycle }) => {
        lifecycle.defer('database', () => released.push('database'));
        throw new Error('the port is taken');
      },
    });

    await running;

    expect(released).toEqual(['database']);
    expect(lines.join('')).toContain('the port is taken');
    expect(exits).toEqual([exitCodes.failed]);
  });

  it.each(['uncaughtException', 'unhandledRejection'])('logs an %s and exits with 1', async (event) => {
    const { running, emit, exits, lines } = run({});
    await running;

    emit(event, new Error('nobody expected this'));

    expect(lines.join('')).toContain('nobody expected this');
    expect(exits).toEqual([exitCodes.failed]);
  });
});

describe('a real process', () => {
  /** Runs a service that starts as given, kills it with the signal as soon as it is ready, and waits for its end. */
  async function runProcess(start: string, signal?: NodeJS.Signals) {
    const source = `
      import { runService } from ${JSON.stringify(join(import.meta.dirname, 'run-service.ts'))};
      const readConfig = () => ({ logLevel: 'info', stopTimeoutMs: 5_000 });
      await runService({ name: 'test', readConfig, start: async (config, { logger, lifecycle }) => {${start}} });`;
    const child = spawn(
      process.execPath,
      ['--conditions=@posthorn/source', '--input-type=module', '--eval', source],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (signal !== undefined && output.includes('"msg":"ready"')) child.kill(signal);
    });
    const [code] = (await once(child, 'close')) as [number | null];
    return {
      code,
      messages: output
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { msg: string }).msg),
    };
  }
  const stayAlive = 'const timer = setInterval(() => undefined, 1_000);';

  it('stops on SIGTERM with everything released and its last log line written', async () => {
    const { code, messages } = await runProcess(
      `${stayAlive} lifecycle.defer('timer', () => { clearInterval(timer); logger.info('released'); });`,
      'SIGTERM',
    );

    expect(code).toBe(exitCodes.stopped);
    // What is flushed at the exit may overtake what is being written.
    expect(messages.toSorted()).toEqual(['ready', 'released', 'stopped', 'stopping']);
  });

  it('ends with 1 by what nobody caught, with the reason written', async () => {
    const { code, messages } = await runProcess(
      `${stayAlive} setImmediate(() => { throw new Error('nobody expected this'); });`,
    );

    expect(code).toBe(exitCodes.failed);
    // What is flushed at the exit may overtake what is being written.
    expect(messages.toSorted()).toEqual(['ready', 'uncaughtException']);
  });
});
