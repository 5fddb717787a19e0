/** Reading bodies and answering early, over real connections: the two only make sense together. */
import { DomainError } from '@posthorn/models';
import { systemClock } from '@posthorn/runtime';
import { eventually } from '@posthorn/testing';
import { createHttpServer, type HttpServer } from './http-server.ts';
import { problemAnswer } from './native/routing/problem.ts';
import { readBody } from './read-body.ts';
import { sendAnswer } from './send-answer.ts';
import { openRaw, type RawConnection } from './testing/raw-connection.harness.ts';

const maxBytes = 1_000;
let server: HttpServer;
let port: number;
/** What became of each body: its length, or the code of the error. */
let outcomes: (number | string)[];

beforeEach(async () => {
  outcomes = [];
  server = createHttpServer({
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    handler: (req, res) => {
      if (req.url === '/refused') {
        sendAnswer(req, res, { status: 401 }, systemClock);
        return;
      }
      readBody(req, res, maxBytes).then(
        (body) => {
          outcomes.push(body.length);
          sendAnswer(req, res, { status: 200, bytes: body }, systemClock);
        },
        (error: unknown) => {
          const failure = DomainError.from(error);
          outcomes.push(failure.code);
          sendAnswer(req, res, problemAnswer(failure, 'r1'), systemClock);
        },
      );
    },
  });
  port = await server.start();
});
afterEach(() => server.stop(0));

const head = (lines: readonly string[], path = '/'): string =>
  ['POST ' + path + ' HTTP/1.1', 'Host: x', ...lines, '', ''].join('\r\n');
const statusesOf = (text: string): string[] =>
  [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => status ?? '');
const isAnswered = (connection: RawConnection, status: string) => (): boolean =>
  statusesOf(connection.received()).includes(status);

test('a body in one piece, in many, and in chunks is read whole', async () => {
  const connection = await openRaw(port);
  connection.write(head(['Content-Length: 5']) + 'hello');
  await eventually(isAnswered(connection, '200'));
  connection.write(head(['Content-Length: 6']) + 'hel');
  await new Promise((resolve) => setImmediate(resolve));
  connection.write('lo!');
  connection.write(head(['Transfer-Encoding: chunked']) + '3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n');
  await eventually(() => outcomes.length === 3);
  expect(outcomes).toEqual([5, 6, 7]);
  connection.socket.destroy();
});

test('exactly the limit is taken, one byte more isn’t', async () => {
  const connection = await openRaw(port);
  connection.write(head([`Content-Length: ${maxBytes}`]) + 'x'.repeat(maxBytes));
  await eventually(isAnswered(connection, '200'));
  connection.write(head([`Content-Length: ${maxBytes + 1}`]) + 'x'.repeat(maxBytes + 1));
  await eventually(() => outcomes.length === 2);
  expect(outcomes).toEqual([maxBytes, 'payload_too_large']);
  connection.socket.destroy();
});

test('a declared length over the limit is answered before the body comes', async () => {
  const connection = await openRaw(port);
  connection.write(head(['Content-Length: 1000000000']));
  await eventually(isAnswered(connection, '413'));
  expect(connection.received()).toMatch(/connection: close/i);
  connection.socket.destroy();
});

test('a client that goes on sending reads the whole answer, and then the connection ends', async () => {
  const connection = await openRaw(port);
  const piece = 'x'.repeat(64 * 1024);
  connection.write(head(['Transfer-Encoding: chunked']));
  for (let i = 0; i < 64; i++) connection.write(`10000\r\n${piece}\r\n`);
  await eventually(isAnswered(connection, '413'));
  connection.write('0\r\n\r\n');
  const text = await connection.closed;
  expect(statusesOf(text)).toEqual(['413']);
  expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toMatchObject({ code: 'payload_too_large' });
});

test('a client that never stops sending is cut off', async () => {
  const connection = await openRaw(port);
  connection.write(head(['Content-Length: 100000000000']));
  const flood = (): void => {
    while (connection.socket.writable && connection.socket.write('x'.repeat(256 * 1024)));
  };
  connection.socket.on('drain', flood);
  flood();
  expect(statusesOf(await connection.closed)).toEqual(['413']);
});

test('a small body that nobody wanted doesn’t cost the connection', async () => {
  const connection = await openRaw(port);
  connection.write(head(['Content-Length: 5'], '/refused') + 'hello' + head(['Content-Length: 2']) + 'ok');
  await eventually(isAnswered(connection, '200'));
  expect(statusesOf(connection.received())).toEqual(['401', '200']);
  connection.socket.destroy();
});

test('an upload that is cut off harms nobody else', async () => {
  const connection = await openRaw(port);
  connection.write(head(['Content-Length: 500']) + 'half');
  await new Promise((resolve) => setImmediate(resolve));
  connection.socket.destroy();
  await eventually(() => outcomes.length === 1);
  expect(outcomes).toEqual(['invalid_argument']);
  const next = await openRaw(port);
  next.write(head(['Content-Length: 2']) + 'ok');
  await eventually(isAnswered(next, '200'));
  next.socket.destroy();
});

describe('a client that asks first', () => {
  test('is told to go on when its body is wanted', async () => {
    const connection = await openRaw(port);
    connection.write(head(['Content-Length: 5', 'Expect: 100-continue']));
    await eventually(isAnswered(connection, '100'));
    connection.write('hello');
    await eventually(isAnswered(connection, '200'));
    connection.socket.destroy();
  });

  test.each([
    ['/', 'Content-Length: 100000', '413'],
    ['/refused', 'Content-Length: 100000', '401'],
  ])('is answered at %s without sending its body, and the connection ends', async (path, length, status) => {
    const connection = await openRaw(port);
    connection.write(head([length, 'Expect: 100-continue'], path));
    expect(statusesOf(await connection.closed)).toEqual([status]);
  });
});
