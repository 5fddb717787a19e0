import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { fillOnce } from './cache.ts';
import { silent } from './progress.ts';

describe('fillOnce', () => {
  let folder: string;
  let directory: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'posthorn-cache-'));
    directory = join(folder, 'cache/server-1.0');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const fillWith = (content: string) => (unfinished: string) => {
    writeFileSync(join(unfinished, 'server'), content);
    return Promise.resolve(null);
  };
  const filled = (): string => readFileSync(join(directory, 'server'), 'utf8');

  test('fills a directory once and keeps it', async () => {
    expect(await fillOnce(directory, silent, fillWith('first'))).toBeNull();
    expect(await fillOnce(directory, silent, fillWith('second'))).toBeNull();
    expect(filled()).toBe('first');
    expect(readdirSync(join(folder, 'cache'))).toEqual(['server-1.0']);
  });

  test('leaves nothing of what could not be filled, and tries again', async () => {
    const failing = (unfinished: string): Promise<string> => {
      writeFileSync(join(unfinished, 'half'), '');
      return Promise.resolve('no network');
    };
    expect(await fillOnce(directory, silent, failing)).toBe('no network');
    await expect(fillOnce(directory, silent, () => Promise.reject(new Error('broken')))).rejects.toThrow(
      'broken',
    );
    expect(readdirSync(join(folder, 'cache'))).toEqual([]);
    await fillOnce(directory, silent, fillWith('later'));
    expect(filled()).toBe('later');
  });

  test('waits for another that fills it, and says so', async () => {
    const steps: string[] = [];
    let isFilling = 0;
    const fill = async (unfinished: string): Promise<null> => {
      expect(++isFilling).toBe(1);
      await new Promise(setImmediate);
      return fillWith('once')(unfinished);
    };
    const progress = { step: (line: string) => steps.push(line), detail: () => {} };
    await Promise.all([fillOnce(directory, silent, fill), fillOnce(directory, progress, fill)]);
    expect(filled()).toBe('once');
    expect(steps).toEqual(['another process is at it: server-1.0']);
  });

  test('goes on where a process was killed while it filled', async () => {
    const { pid } = spawnSync('true');
    mkdirSync(`${directory}.partial-abc`, { recursive: true });
    writeFileSync(`${directory}.lock`, String(pid));
    await fillOnce(directory, silent, fillWith('again'));
    expect(filled()).toBe('again');
    expect(existsSync(`${directory}.partial-abc`)).toBe(false);
  });
});
