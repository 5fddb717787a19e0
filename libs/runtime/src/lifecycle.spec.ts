import { systemClock } from './clock.ts';
import { Lifecycle } from './lifecycle.ts';
import { createLogger } from './logger.ts';

function start(timeouts: { stepTimeoutMs?: number; totalTimeoutMs?: number } = {}) {
  const lines: string[] = [];
  const logger = createLogger({ service: 'test', destination: { write: (line) => lines.push(line) } });
  const lifecycle = new Lifecycle({
    logger,
    clock: systemClock,
    stepTimeoutMs: 10_000,
    totalTimeoutMs: 10_000,
    ...timeouts,
  });
  return { lifecycle, lines };
}

const never = (): Promise<never> => new Promise(() => undefined);

describe('a lifecycle', () => {
  it('releases in the reverse order of acquisition, each after the one before has ended', async () => {
    const { lifecycle, lines } = start();
    const order: string[] = [];
    const releaseSlowly = (name: string) => async (): Promise<void> => {
      order.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`${name} ends`);
    };
    lifecycle.defer('database', releaseSlowly('database'));
    lifecycle.defer('server', releaseSlowly('server'));

    expect(await lifecycle.close()).toBe(true);

    expect(order).toEqual(['server begins', 'server ends', 'database begins', 'database ends']);
    expect(lines).toEqual([]);
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('stuck'))],
    [
      'throws',
      () => {
        throw new Error('stuck');
      },
    ],
  ])('goes on when a release %s, and tells of it', async (_how, release) => {
    const { lifecycle, lines } = start();
    let released = false;
    lifecycle.defer('database', () => (released = true));
    lifecycle.defer('server', release);

    expect(await lifecycle.close()).toBe(false);

    expect(released).toBe(true);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('"step":"server"');
    expect(lines[0]).toContain('stuck');
  });

  it('does not wait longer for a release than for one', async () => {
    const { lifecycle, lines } = start({ stepTimeoutMs: 20 });
    let released = false;
    lifecycle.defer('database', () => (released = true));
    lifecycle.defer('server', never);

    expect(await lifecycle.close()).toBe(false);

    expect(released).toBe(true);
    expect(lines[0]).toContain('not released in time');
  });

  it('does not wait longer than for all, and still begins every release', async () => {
    const { lifecycle } = start({ totalTimeoutMs: 50 });
    const begun: string[] = [];
    for (const name of ['a', 'b', 'c'])
      lifecycle.defer(name, () => {
        begun.push(name);
        return never();
      });
    const startedAt = performance.now();

    expect(await lifecycle.close()).toBe(false);

    expect(begun).toEqual(['c', 'b', 'a']);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('releases once, however often it is closed', async () => {
    const { lifecycle } = start();
    let releases = 0;
    lifecycle.defer('server', () => releases++);

    await Promise.all([lifecycle.close(), lifecycle.close()]);

    expect(releases).toBe(1);
  });

  it('releases what is acquired while it is being closed, and what is acquired after', async () => {
    const { lifecycle } = start();
    const released: string[] = [];
    lifecycle.defer('first', async () => {
      lifecycle.defer('late', () => released.push('late'));
      released.push('first');
    });

    await lifecycle.close();
    lifecycle.defer('after', () => released.push('after'));
    await lifecycle.close();

    expect(released).toEqual(['first', 'late', 'after']);
  });
});
