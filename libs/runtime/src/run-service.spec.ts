import { EventEmitter, once } from 'node:events';
import { ConfigError } from './config-reader.ts';
import { exitCodes, runService, type ProcessPort, type RunnableService } from './run-service.ts';

const config = { logLevel: 'info', stopTimeoutMs: 5_000 } as const;

/** A process that only says what it would do. */
function fakeProcess(argv: readonly string[] = []) {
  const events = new EventEmitter();
  const written = { stdout: '', stderr: '' };
  const exits: number[] = [];
  const port: ProcessPort = {
    argv,
    on: (event, listener) => events.on(event, listener),
    exit: (code) => {
      exits.push(code);
      events.emit('exit');
    },
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
  };
  return {
    port,
    written,
    exits,
    emit: (event: string, value?: unknown) => events.emit(event, value),
    events,
  };
}

function run(service: Partial<RunnableService<typeof config>>, argv?: readonly string[]) {
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
    { process: fake.port },
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

  it('exits at once on the second signal', async () => {
    let release: () => void = () => undefined;
    const { running, emit, events, exits } = run({
      start: async (_config, { lifecycle }) =>
        lifecycle.defer('server', () => new Promise<void>((resolve) => (release = resolve))),
    });
    await running;

    emit('SIGTERM');
    expect(exits).toEqual([]);
    emit('SIGINT');

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
