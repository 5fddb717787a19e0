import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@posthorn/testing';
import { createProcessRunner } from './process-runner.ts';
import { isRunning } from './process-state.ts';
import type { Runner } from './runner.ts';
import { startServer } from './started-server.ts';

/** A server that counts in a file, says goodbye when it ends in order, and remembers its number. */
const counting = `echo $$ >pid
trap 'echo goodbye; exit 0' TERM
count=0
while :; do count=$((count+1)); echo $count >count.new; mv count.new count; sleep 0.01; done`;

describe('createProcessRunner', () => {
  let directory: string;
  let runner: Runner;
  let isTemporary: boolean;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'posthorn-runner-'));
    isTemporary = true;
    runner = create(counting);
  });

  afterEach(async () => {
    await runner.dispose();
    rmSync(directory, { recursive: true, force: true });
  });

  function create(script: string): Runner {
    return createProcessRunner({ command: 'sh', args: ['-c', script], directory, isTemporary });
  }

  const read = (name: string): string => readFileSync(join(directory, name), 'utf8').trim();
  const count = (): number => Number(read('count'));
  async function eventuallyCounts(): Promise<void> {
    const before = existsSync(join(directory, 'count')) ? count() : -1;
    await eventually(() => count() !== before);
  }

  test('kills it at once, and starts it again on the same directory', async () => {
    await runner.start();
    await eventuallyCounts();
    const killed = Number(read('pid'));
    await runner.kill();
    expect(isRunning(killed)).toBe(false);
    expect(await runner.failure()).not.toBeNull();
    await runner.start();
    await eventually(() => Number(read('pid')) !== killed);
    await eventuallyCounts();
    expect(await runner.failure()).toBeNull();
    expect(await runner.lastWords()).toBe('');
  });

  test('ends it in order, also while it is suspended', async () => {
    await runner.start();
    await eventuallyCounts();
    await runner.suspend();
    await runner.end();
    expect(await runner.lastWords()).toBe('goodbye');
  });

  test('suspends and resumes it', async () => {
    await runner.start();
    await eventuallyCounts();
    await runner.suspend();
    await eventually(() => readFileSync(`/proc/${read('pid')}/stat`, 'utf8').includes(') T '));
    const suspendedAt = count();
    await runner.resume();
    await eventually(() => count() > suspendedAt);
  });

  test('refuses to suspend what does not run', async () => {
    await expect(runner.suspend()).rejects.toThrow("It doesn't run: sh");
  });

  test('removes a directory of its own, and ends in order what keeps its data', async () => {
    await runner.start();
    await runner.dispose();
    expect(existsSync(directory)).toBe(false);

    isTemporary = false;
    runner = create(counting);
    await runner.start();
    await eventuallyCounts();
    await runner.dispose();
    expect(await runner.lastWords()).toBe('goodbye');
  });

  test('leaves neither process nor directory behind when its starter is killed', async () => {
    const program = `
      import { createProcessRunner } from ${JSON.stringify(join(import.meta.dirname, 'process-runner.ts'))};
      const options = ${JSON.stringify({ command: 'sh', args: ['-c', counting], directory, isTemporary })};
      await createProcessRunner(options).start();
      console.log('started');`;
    const starter = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(starter, 'exit');
    await once(starter.stdout, 'data');
    await eventually(() => count() > 0);
    const pid = Number(read('pid'));
    starter.kill('SIGKILL');
    await ended;
    await eventually(() => !isRunning(pid) && !existsSync(directory));
  });

  test('a server that ends while it starts is an error with its last words, and leaves nothing', async () => {
    runner = create('echo out of memory; exit 3');
    const probe = (): Promise<never> => Promise.reject(new Error('nobody listens'));
    await expect(
      startServer({ source: 'maven', version: '1', description: 'Kafka 1', probe, runner }),
    ).rejects.toThrow("Kafka 1 didn't start: it ended (3). Its last words:\nout of memory");
    expect(existsSync(directory)).toBe(false);
  });
});
