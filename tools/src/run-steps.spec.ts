import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning } from '@posthorn/stack';
import { runSteps } from './run-steps.ts';

const OPTIONS = { concurrency: 2, timeLimitMs: 20_000, onEnd: () => {} };

describe('runSteps', () => {
  test('runs every step whatever becomes of the others, and answers in their order', async () => {
    const results = await runSteps(
      [
        { name: 'slow', command: 'sleep 0.1; echo one' },
        { name: 'broken', command: 'echo two >&2; exit 3' },
        { name: 'missing', command: 'no-such-program' },
        { name: 'fine', command: 'echo four' },
      ],
      OPTIONS,
    );
    expect(results.map(({ step, passed }) => [step.name, passed])).toEqual([
      ['slow', true],
      ['broken', false],
      ['missing', false],
      ['fine', true],
    ]);
    expect(results.map(({ output }) => output)).toEqual([
      'one\n',
      'two\n',
      expect.stringContaining('no-such-program'),
      'four\n',
    ]);
  });

  test('ends a step that takes too long, with what it started', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'posthorn-steps-'));
    const pidFile = join(folder, 'pid');
    const [result] = await runSteps([{ name: 'endless', command: `sleep 600 & echo $! >${pidFile}; wait` }], {
      ...OPTIONS,
      timeLimitMs: 200,
    });
    const pid = Number(readFileSync(pidFile, 'utf8'));
    rmSync(folder, { recursive: true });
    expect(result).toMatchObject({ passed: false, output: expect.stringContaining('took longer than') });
    expect(isRunning(pid)).toBe(false);
  });
});
