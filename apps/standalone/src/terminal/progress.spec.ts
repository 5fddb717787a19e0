import { createTestIo } from './io.harness.ts';
import { createProgress } from './progress.ts';

test('a terminal has one line that is rewritten, not too often, and taken away at the end', () => {
  const io = createTestIo({ columns: 20 });
  const progress = createProgress({ stderr: io.stderr, clock: io.clock });
  progress.update(() => 'one');
  progress.update(() => 'too soon');
  io.clock.advance(100);
  progress.update(() => 'x'.repeat(50));
  progress.end();
  const [, first, second, last] = io.written.stderr().split('\r\u001b[2K');
  expect(first).toBe('one');
  expect(second).toBe(`${'x'.repeat(18)}…`);
  expect(last).toBe('');
});

test('a log gets a line from time to time, and none for what is over soon', () => {
  const io = createTestIo();
  const progress = createProgress({ stderr: io.stderr, clock: io.clock });
  progress.update(() => 'at once');
  io.clock.advance(5_000);
  progress.update(() => 'after five seconds');
  progress.update(() => 'too soon');
  progress.end();
  expect(io.written.stderr()).toBe('after five seconds\n');
});

test('a terminal is left alone when nothing was shown', () => {
  const io = createTestIo({ columns: 80 });
  createProgress({ stderr: io.stderr, clock: io.clock }).end();
  expect(io.written.stderr()).toBe('');
});
