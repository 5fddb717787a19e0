import { once } from 'node:events';
import { createServer } from 'node:net';
import { describeLeaks, resourceCounts } from './leaks.ts';

describe('describeLeaks', () => {
  test('names a server that still listens, until it is closed', async () => {
    const before = resourceCounts();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    expect(describeLeaks(before)).toBe('1 × TCPServerWrap');
    server.close();
    await once(server, 'close');
    // Node forgets the handle some turns of the loop after the event.
    for (let turn = 0; turn < 10 && describeLeaks(before) !== null; turn++) await new Promise(setImmediate);
    expect(describeLeaks(before)).toBeNull();
  });

  test('names a timer that would keep the process alive, and no other', () => {
    const before = resourceCounts();
    const timer = setTimeout(() => {}, 60_000);
    expect(describeLeaks(before)).toBe('1 × Timeout');
    timer.unref();
    expect(describeLeaks(before)).toBeNull();
    clearTimeout(timer);
  });
});
