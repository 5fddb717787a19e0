import { once } from 'node:events';
import { createServer } from 'node:net';
import { freePort, requireFreePort } from './free-port.ts';

describe('freePort', () => {
  test('finds a port below those that outgoing connections get', async () => {
    const port = await freePort();
    expect(port).toBeGreaterThanOrEqual(15_000);
    expect(port).toBeLessThan(32_000);
    await expect(requireFreePort(port, '--port')).resolves.toBeUndefined();
  });

  test('knows a port that is taken', async () => {
    const port = await freePort();
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    await expect(requireFreePort(port, '--kafka-port')).rejects.toThrow(
      `Port ${port} is taken; choose another with --kafka-port`,
    );
    server.close();
    await once(server, 'close');
  });
});
