import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { eventually } from './eventually.ts';
import { createTcpProxy } from './tcp-proxy.ts';
import type { TcpProxy } from './tcp-proxy.ts';

describe('createTcpProxy', () => {
  let echo: Server;
  let proxy: TcpProxy;
  let served: string;
  const clients: Socket[] = [];

  beforeEach(async () => {
    served = '';
    echo = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (chunk: Buffer) => {
        served += chunk.toString();
        socket.write(chunk);
      });
    });
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    proxy = await createTcpProxy({ port: (echo.address() as AddressInfo).port });
  });

  afterEach(async () => {
    for (const socket of clients.splice(0)) socket.destroy();
    await proxy.close();
    await new Promise((resolve) => echo.close(resolve));
  });

  /** A client, what it has received, and whether its connection broke. */
  function client(): { socket: Socket; received: () => string; broke: () => boolean } {
    let received = '';
    let broke = false;
    const socket = connect({ host: '127.0.0.1', port: proxy.port, allowHalfOpen: true });
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
    socket.on('error', () => (broke = true));
    clients.push(socket);
    return { socket, received: () => received, broke: () => broke };
  }

  test('passes on what both sides say, and their ends', async () => {
    const { socket, received } = client();
    socket.end('hello');
    await once(socket, 'end');
    expect(received()).toBe('hello');
    await eventually(() => proxy.openConnections === 0);
  });

  test('passes on megabytes unchanged', async () => {
    const { socket, received } = client();
    const text = 'x'.repeat(5_000_000) + 'end';
    socket.write(text);
    await eventually(() => received().length === text.length);
    expect(received()).toBe(text);
  });

  test('cuts open connections and takes new ones', async () => {
    const first = client();
    first.socket.write('a');
    await eventually(() => first.received() === 'a');
    proxy.cut();
    await eventually(() => first.broke());
    const second = client();
    second.socket.write('b');
    await eventually(() => second.received() === 'b');
  });

  test('refuses until it accepts', async () => {
    proxy.refuse();
    const refused = client();
    refused.socket.write('lost');
    await eventually(() => refused.broke());
    proxy.accept();
    const accepted = client();
    accepted.socket.write('kept');
    await eventually(() => accepted.received() === 'kept');
    expect(served).toBe('kept');
  });

  test('hangs with open connections and lets go of everything afterwards, in order', async () => {
    const before = client();
    before.socket.write('1');
    await eventually(() => before.received() === '1');
    proxy.hang();
    const during = client();
    during.socket.write('2');
    before.socket.write('3');
    // A connection beside the proxy shows that time has passed for the server.
    const beside = connect({ host: '127.0.0.1', port: (echo.address() as AddressInfo).port });
    clients.push(beside);
    beside.write('4');
    await eventually(() => served.includes('4'));
    expect(served).toBe('14');
    expect(before.broke() || during.broke()).toBe(false);
    proxy.flow();
    await eventually(() => before.received() === '13' && during.received() === '2');
  });

  test('delays each direction, not each chunk after the other', async () => {
    const { socket, received } = client();
    await once(socket, 'connect');
    const delayMs = 100;
    const chunks = 50;
    proxy.delay(delayMs);
    const startedAt = performance.now();
    for (let sent = 0; sent < chunks; sent++) {
      socket.write('x');
      await new Promise(setImmediate);
    }
    await eventually(() => received().length === chunks);
    const tookMs = performance.now() - startedAt;
    // A timer of node may fire a millisecond early.
    expect(tookMs).toBeGreaterThanOrEqual(2 * (delayMs - 1));
    expect(tookMs).toBeLessThan((chunks / 2) * delayMs);
  });

  test('loses the reply to a request that got through, and only that', async () => {
    const other = client();
    const { socket, received, broke } = client();
    const cut = proxy.cutReplyTo((request) => request.toString() === 'write');
    socket.write('read');
    await eventually(() => received() === 'read');
    socket.write('write');
    await cut;
    await eventually(() => broke());
    expect(served).toBe('readwrite');
    expect(received()).toBe('read');
    other.socket.write('write');
    await eventually(() => other.received() === 'write');
  });

  test('breaks the client when the server breaks', async () => {
    const { socket, broke } = client();
    const [upstream] = (await once(echo, 'connection')) as [Socket];
    socket.write('a');
    upstream.resetAndDestroy();
    await eventually(() => broke());
    expect(proxy.openConnections).toBe(0);
  });

  test('goes to another server after forwardTo', async () => {
    const other = createServer((socket) => socket.end('other')).listen(0, '127.0.0.1');
    await once(other, 'listening');
    proxy.forwardTo({ port: (other.address() as AddressInfo).port });
    const { socket, received } = client();
    socket.resume();
    await eventually(() => received() === 'other');
    socket.end();
    other.close();
    await once(other, 'close');
  });
});
