import { createProgress } from './progress.ts';

describe('createProgress', () => {
  let written: string;
  let nowMs: number;
  const write = (text: string): void => void (written += text);
  const now = (): number => nowMs;

  beforeEach(() => {
    written = '';
    nowMs = 0;
  });

  test('writes over one line in a terminal, cut to its width', () => {
    const progress = createProgress({ write, columns: 20 }, now);
    progress.step('building');
    progress.detail('1/300');
    progress.detail('2/300: with a long name');
    progress.step('ready');
    expect(written).toBe(
      'stack: building\n\r\u001b[2K       1/300\r\u001b[2K       2/300: with \r\u001b[2Kstack: ready\n',
    );
  });

  test('writes a detail now and then into a log, and every step', () => {
    const progress = createProgress({ write }, now);
    progress.step('building');
    for (nowMs = 0; nowMs <= 30_000; nowMs += 1_000) progress.detail(`after ${nowMs} ms`);
    progress.step('ready');
    expect(written).toBe('stack: building\n       after 15000 ms\n       after 30000 ms\nstack: ready\n');
  });
});
