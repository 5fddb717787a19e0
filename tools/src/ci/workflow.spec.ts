/** The workflow for GitHub, as far as it can be checked here: it can't run, but it can't name what isn't there either. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  asImageEnvironment,
  kafkaBrokersVariable,
  kafkaImage,
  kafkaSettings,
  mongodbImage,
  mongodbUrlVariable,
} from '@posthorn/stack';
import { parse } from 'yaml';
import { workspaceRoot } from '../workspace.ts';

interface Step {
  readonly uses?: string;
  readonly run?: string;
}

interface Service {
  readonly image: string;
  readonly command?: string;
  readonly ports: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

interface Job {
  readonly 'timeout-minutes': number;
  readonly services?: Readonly<Record<string, Service>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

const read = (path: string): string => readFileSync(join(workspaceRoot, path), 'utf8');
const workflow = parse(read('.github/workflows/ci.yml')) as { readonly jobs: Readonly<Record<string, Job>> };
const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);
/** The npm scripts that these lines run. */
const scriptsOf = (lines: readonly string[]): readonly string[] =>
  lines
    .map((line) => /\bnpm (?:run ([\w:]+)|(test))/.exec(line))
    .map((match) => match?.[1] ?? match?.[2])
    .filter((name) => name !== undefined);

describe('the workflow for GitHub', () => {
  const scripts = scriptsOf(steps.map((step) => step.run ?? ''));

  test('runs scripts that exist', () => {
    const { scripts: existing } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    expect(Object.keys(existing)).toEqual(expect.arrayContaining([...scripts]));
  });

  test('runs every suite that .ci/run runs', () => {
    const lines = read('.ci/run').split('\n');
    const suites = lines
      .map((line) => /^(?:suite|tallied) \d+ (\S+)/.exec(line)?.[1])
      .filter((name) => name !== undefined);
    expect(suites).toContain('test:stack');
    expect([...scripts].sort()).toEqual([...suites].sort());
  });

  test('pins every action by an exact tag and gives every job an end', () => {
    const actions = steps.map((step) => step.uses).filter((uses) => uses !== undefined);
    expect(actions).not.toEqual([]);
    for (const action of actions) expect(action).toMatch(/^[\w-]+\/[\w-]+@v\d+\.\d+\.\d+$/);
    for (const job of Object.values(workflow.jobs)) expect(job['timeout-minutes']).toBeGreaterThan(0);
  });

  test('has the servers that tools/stack would start, and tells the suites where they are', () => {
    const { services = {}, env = {} } = workflow.jobs['stack'] ?? {};
    const settings = kafkaSettings({
      port: 9092,
      advertisedPort: 9092,
      controllerPort: 9093,
      listenHost: '0.0.0.0',
    });
    expect(services['kafka']?.image).toBe(kafkaImage);
    expect(Object.entries(services['kafka']?.env ?? {}).map(([name, value]) => `${name}=${value}`)).toEqual(
      asImageEnvironment(settings),
    );
    expect(services['mongodb']).toMatchObject({
      image: mongodbImage,
      command: expect.stringContaining('--replSet posthorn'),
      ports: ['27017:27017'],
    });
    expect(env).toEqual({
      [kafkaBrokersVariable]: '127.0.0.1:9092',
      [mongodbUrlVariable]: 'mongodb://127.0.0.1:27017/?directConnection=true',
    });
  });
});
