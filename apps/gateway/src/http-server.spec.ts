import type { IncomingMessage, ServerResponse } from 'node:http';
import { DomainError } from '@posthorn/models';
import { systemClock } from '@posthorn/runtime';
import { eventually } from '@posthorn/testing';
import { createHttpServer, type HttpServer } from './http-server.ts';
import { openRaw } from './testing/raw-connection.harness.ts';

type Handler = (req: IncomingMessage, res: ServerResponse) => void;

const servers: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop(0)));
});

async function serve(
  handler: Handler,
  requestTimeoutMs?: number,
): Promise<{ server: HttpServer; port: number }> {
  const server = createHttpServer({
    handler,
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    ...(requestTimeoutMs !== undefined && { requestTimeoutMs }),
  });
  servers.push(server);
  return { server, port: await server.start() };
}

const hello: Handler = (_req, res) => void res.end('hello');

/** Answers when it is told to. */
function held(): { handler: Handler; release: () => void; count: () => number } {
  const waiting: ServerResponse[] = [];
  return {
    handler: (_req, res) => void waiting.push(res),
    release: () => waiting.forEach((res) => res.end('done')),
    count: () => waiting.length,
  };
}

test('a port that is taken is refused with what to do about it', async () => {
  const { port } = await serve(hello);
  const second = createHttpServer({ handler: hello, host: '127.0.0.1', port, clock: systemClock });
  await expect(second.start()).rejects.toThrow(
    `port ${port} of 127.0.0.1 is taken; stop what listens there, or set POSTHORN_PORT`,
  );
  await second.stop(0);
});

test.each([
  ['no HTTP at all', 'hello\r\n\r\n', '400 Bad Request'],
  ['a header that isn’t one', 'GET / HTTP/1.1\r\nHost: x\r\nbroken\r\n\r\n', '400 Bad Request'],
  [
    'two lengths',
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    '400 Bad Request',
  ],
  [
    'a length and chunks',
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    '400 Bad Request',
  ],
  [
    'a head of 20 KiB',
    `GET / HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`,
    '431 Request Header Fields Too Large',
  ],
])('%s is answered with a problem and the connection closed', async (_, bytes, status) => {
  const { port } = await serve(hello);
  const connection = await openRaw(port);
  connection.write(bytes);
  const text = await connection.closed;
  expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status}\r\n`));
  expect(text).toContain('Content-Type: application/problem+json');
  expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toMatchObject({
    status: Number(status.slice(0, 3)),
  });
});

test('a request that drips in is answered 408 and let go', async () => {
  const { port } = await serve(hello, 100);
  const connection = await openRaw(port);
  connection.write('POST / HTTP/1.1\r\nHost: x\r\nContent-');
  expect(await connection.closed).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n[^]*deadline_exceeded/);
});

test('stopping finishes what was begun and tells clients to go elsewhere', async () => {
  const { handler, release, count } = held();
  const { server, port } = await serve((req, res) =>
    req.url === '/slow' ? handler(req, res) : hello(req, res),
  );
  const idle = await openRaw(port);
  idle.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await eventually(() => idle.received().includes('hello'));
  const busy = await openRaw(port);
  busy.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
  await eventually(() => count() === 1);

  const stopped = server.stop(10_000);
  expect(await idle.closed).toContain('hello');
  await expect(openRaw(port)).rejects.toThrow('ECONNREFUSED');
  release();
  const answer = await busy.closed;
  expect(answer).toMatch(/^Connection: close\r$/m);
  expect(answer).toMatch(/done$/);
  await stopped;
});

test('a connection whose answer was on its way when the stop began is closed behind it', async () => {
  const waiting: ServerResponse[] = [];
  const { server, port } = await serve((_req, res) => {
    res.write('first half, ');
    waiting.push(res);
  });
  const connection = await openRaw(port);
  connection.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await eventually(() => connection.received().includes('first half'));
  const stopped = server.stop(10_000);
  waiting[0]?.end('second half');
  await stopped;
  expect(await connection.closed).toContain('second half');
});

test('what isn’t finished within the grace is cut off', async () => {
  const { handler, count } = held();
  const { server, port } = await serve(handler);
  const connection = await openRaw(port);
  connection.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await eventually(() => count() === 1);
  await server.stop(20);
  expect(await connection.closed).toBe('');
});

test('stopping twice, or before the start, is fine', async () => {
  const { server } = await serve(hello);
  const never = createHttpServer({ handler: hello, host: '127.0.0.1', port: 0, clock: systemClock });
  const stops = await Promise.allSettled([server.stop(100), server.stop(100), never.stop(100)]);
  expect(stops.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
});

test('an address that isn’t this machine’s is refused with what to do about it', async () => {
  const server = createHttpServer({ handler: hello, host: '192.0.2.1', port: 0, clock: systemClock });
  await expect(server.start()).rejects.toThrow(DomainError);
  await expect(server.start()).rejects.toThrow('set POSTHORN_HOST');
});
