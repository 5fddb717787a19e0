import { once } from 'node:events';
import { DomainError } from '@posthorn/models';
import { integer } from './config-parsers.ts';
import { configEntry, type ConfigOf, type Environment } from './config-reader.ts';
import { everyServiceConfig, readServiceConfig } from './deployment/deployment-config.ts';
import { fakeProcess } from './fake-process.harness.ts';
import { runProcess, type ProcessContext } from './run-process.ts';
import { exitCodes } from './run-service.ts';

const spec = {
  ...everyServiceConfig,
  answer: configEntry({
    env: 'POSTHORN_ANSWER',
    parser: integer({ min: 0, max: 99 }),
    default: 42,
    description: 'What it all means.',
  }),
} as const;
type Config = ConfigOf<typeof spec>;

const isOdd = ({ answer }: Config) =>
  answer % 2 === 0 ? [] : [{ variable: 'POSTHORN_ANSWER', message: 'POSTHORN_ANSWER must be even.' }];

interface Run {
  readonly argv?: readonly string[];
  readonly environment?: Environment;
  readonly start?: (config: Config, context: ProcessContext) => Promise<void>;
}

function run({ argv = [], environment = {}, start = () => Promise.resolve() }: Run) {
  const fake = fakeProcess(['node', 'main.ts', ...argv]);
  const lines: string[] = [];
  const running = runProcess(
    {
      name: 'dispatcher',
      summary: 'delivers.',
      environment: { POSTHORN_ADMIN_PORT: '0', ...environment },
      spec,
      readConfig: (env) => readServiceConfig(spec, env, isOdd),
      start,
      logDestination: { write: (line) => lines.push(line) },
    },
    { process: fake.port },
  );
  const adminPort = (): string =>
    /"port":(\d+),"msg":"the admin port is open"/.exec(lines.join(''))?.[1] ?? '';
  const probe = async (path: string): Promise<[number, unknown]> => {
    const answer = await fetch(`http://127.0.0.1:${adminPort()}${path}`);
    return [answer.status, await answer.json()];
  };
  const stop = async (): Promise<void> => {
    fake.emit('SIGTERM');
    await once(fake.events, 'exit');
  };
  return { ...fake, lines, running, adminPort, probe, stop };
}

describe('a service as a process', () => {
  it('opens the admin port first, is ready last, and at a stop is unready first', async () => {
    const seen: unknown[] = [];
    const service = run({
      start: async (config, { lifecycle }) => {
        seen.push(config.answer, await service.probe('/livez'), await service.probe('/readyz'));
        lifecycle.defer('server', async () => void seen.push(await service.probe('/readyz')));
      },
    });
    await service.running;
    expect(await service.probe('/readyz')).toEqual([200, { status: 'ready', reasons: [] }]);

    await service.stop();

    expect(seen).toEqual([
      42,
      [200, { status: 'live' }],
      [503, { status: 'not ready', reasons: ['starting'] }],
      [503, { status: 'not ready', reasons: ['stopping'] }],
    ]);
    expect(service.exits).toEqual([exitCodes.stopped]);
    await expect(service.probe('/livez')).rejects.toThrow();
  });

  it('waits for what is away rather than to fail, and stops well while it waits', async () => {
    const away = new DomainError('unavailable', 'No server answers.');
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    const service = run({
      start: (_config, { readiness }) =>
        readiness.waitFor('MongoDB', () => {
          asked();
          return Promise.reject(away);
        }),
    });
    await isAsked;
    await new Promise((resolve) => setImmediate(resolve));
    expect(await service.probe('/readyz')).toEqual([
      503,
      { status: 'not ready', reasons: ['waiting for MongoDB: No server answers.'] },
    ]);

    await service.stop();
    await service.running;

    expect(service.exits).toEqual([exitCodes.stopped]);
    expect(service.lines.join('')).not.toContain('could not start');
  });

  it('tells all that is wrong with its variables, with what looks like a typing error, and exits with 2', async () => {
    const service = run({
      environment: { POSTHORN_ANSWER: 'x', POSTHORN_ALOW_TARGETS: '10.0.0.0/8', POSTHORN_OF_OTHERS: '1' },
    });
    await service.running;
    expect(service.exits).toEqual([exitCodes.badConfiguration]);
    expect(service.written.stderr).toContain('POSTHORN_ANSWER must be a whole number');
    expect(service.written.stderr).toContain('Did you mean POSTHORN_ALLOW_TARGETS?');
    expect(service.written.stderr).not.toContain('POSTHORN_OF_OTHERS');
  });

  it('checks its configuration without starting, combinations included', async () => {
    const argv = ['--check-config'];
    const good = run({ argv });
    await good.running;
    expect([good.exits, good.written.stdout]).toEqual([[0], 'The configuration is valid.\n']);
    const odd = run({ argv, environment: { POSTHORN_ANSWER: '41' } });
    await odd.running;
    expect(odd.exits).toEqual([exitCodes.badConfiguration]);
    expect(odd.written.stderr).toContain('POSTHORN_ANSWER must be even.');
  });

  it('explains itself, for people and for programs', async () => {
    const people = run({ argv: ['--help'] });
    await people.running;
    expect(people.exits).toEqual([0]);
    expect(people.written.stdout).toContain('dispatcher: delivers.');
    expect(people.written.stdout).toContain('POSTHORN_ANSWER (42)\n      What it all means.');
    const programs = run({ argv: ['--help', '--json'] });
    await programs.running;
    const variables = programs.written.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(variables).toContainEqual(
      expect.objectContaining({ of: 'dispatcher', variable: 'POSTHORN_ANSWER', default: '42' }),
    );
  });

  it('knows no other arguments', async () => {
    const service = run({ argv: ['--verbose'] });
    await service.running;
    expect(service.exits).toEqual([exitCodes.badConfiguration]);
    expect(service.written.stderr).toContain('--verbose');
  });

  it('asks a running process whether it is ready', async () => {
    const service = run({});
    await service.running;
    const argv = ['--healthcheck'];
    const environment = { POSTHORN_ADMIN_PORT: service.adminPort(), POSTHORN_ADMIN_HOST: '0.0.0.0' };
    const asking = run({ argv, environment });
    await asking.running;
    expect(asking.exits).toEqual([0]);

    await service.stop();
    const again = run({ argv, environment });
    await again.running;
    expect(again.exits).toEqual([exitCodes.failed]);
    expect(again.written.stderr).toContain('no answer from 127.0.0.1');
  });

  it('fails its healthcheck while it waits', async () => {
    const service = run({ start: () => new Promise(() => undefined) });
    while (service.adminPort() === '') await new Promise((resolve) => setImmediate(resolve));
    const asking = run({
      argv: ['--healthcheck'],
      environment: { POSTHORN_ADMIN_PORT: service.adminPort() },
    });
    await asking.running;
    expect(asking.exits).toEqual([exitCodes.failed]);
    expect(asking.written.stderr).toContain('starting');
    await service.stop();
  });
});
