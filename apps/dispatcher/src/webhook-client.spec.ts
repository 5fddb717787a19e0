/** Receivers as they are: slow, broken, hostile. All of them are real servers on this machine, opened by the allow list. */
import { systemClock } from '@posthorn/runtime';
import {
  breakBody,
  closeWithoutAnswer,
  delay,
  drip,
  eventually,
  flood,
  hang,
  reset,
  respond,
} from '@posthorn/testing';
import { okText, setUpReceivers } from './http/real-receivers.harness.ts';

const { start, startClient, startTcp } = setUpReceivers();

describe('an answer', () => {
  it('is the outcome of one POST with our headers and the very bytes of the body', async () => {
    const receiver = await start(respond(200, { headers: { 'x-answer': 'yes' }, body: 'thank you' }));
    const { send } = startClient();
    const body = Buffer.from([0x7b, 0x00, 0xff, 0x7d]);
    const exchange = await send(`${receiver.url}/hook?x=1&y=%20`, {
      body,
      headers: ['X-Custom', 'a', 'webhook-id', 'm'],
    });
    expect(exchange).toEqual({
      outcome: 'success',
      status: 200,
      response: {
        headers: expect.objectContaining({ 'x-answer': 'yes' }),
        body: 'thank you',
        truncated: false,
      },
      retryAfterMs: null,
      address: '127.0.0.1',
      error: null,
      durationMs: expect.any(Number),
    });
    const [request] = receiver.requests;
    expect(request).toMatchObject({ method: 'POST', path: '/hook?x=1&y=%20', body });
    expect(request?.headers).toMatchObject({
      host: receiver.url.slice('http://'.length),
      'x-custom': 'a',
      'webhook-id': 'm',
      'user-agent': 'Posthorn/test',
      'content-length': '4',
    });
  });

  it('is asked for under the user agent of the request where it has one', async () => {
    const receiver = await start(200);
    await startClient().send(receiver.url, { userAgent: 'another agent' });
    expect(receiver.requests[0]?.headers['user-agent']).toBe('another agent');
  });

  it.each([200, 201, 204, 299])('with status %i is a success', async (status) => {
    const receiver = await start(status);
    expect(await startClient().send(receiver.url)).toMatchObject({ outcome: 'success', status, error: null });
  });

  it.each([304, 400, 404, 410, 500, 503])('with status %i is not', async (status) => {
    const receiver = await start(status);
    const exchange = await startClient().send(receiver.url);
    expect(exchange).toMatchObject({ outcome: 'http_error', status });
    expect(exchange.error).toContain(`answered ${status}`);
  });

  it('that redirects is not followed', async () => {
    const elsewhere = await start(200);
    const receiver = await start(respond(301, { headers: { location: elsewhere.url } }));
    const exchange = await startClient().send(receiver.url);
    expect(exchange).toMatchObject({
      outcome: 'http_error',
      status: 301,
      error: expect.stringMatching(/not followed/),
    });
    expect(elsewhere.requests).toEqual([]);
  });

  it.each([
    ['120', 120_000],
    ['0', 0],
    ['a while', null],
  ])('of 429 with Retry-After %s tells how long to wait', async (value, retryAfterMs) => {
    const receiver = await start(respond(429, { headers: { 'retry-after': value } }));
    expect(await startClient().send(receiver.url)).toMatchObject({ outcome: 'http_error', retryAfterMs });
  });

  it('with garbage as its body is what its status says', async () => {
    const receiver = await start(respond(200, { body: Buffer.from([0x80, 0x00, 0xfe, 0x41]) }));
    const exchange = await startClient().send(receiver.url);
    expect(exchange).toMatchObject({
      outcome: 'success',
      response: { body: '\ufffd\u0000\ufffdA', truncated: false },
    });
  });

  it('after informational ones is the one that counts', async () => {
    const receiver = await startTcp((socket) => {
      socket.once('data', () => socket.write(`HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${okText()}`));
    });
    expect(await startClient().send(receiver.url)).toMatchObject({ outcome: 'success', status: 200 });
  });

  it('of HTTP/1.0 that ends with the connection is whole', async () => {
    const receiver = await startTcp((socket) => {
      socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\nold but good'));
    });
    expect(await startClient().send(receiver.url)).toMatchObject({
      outcome: 'success',
      response: { body: 'old but good', truncated: false },
    });
  });
});

describe('a large answer', () => {
  it('is kept up to 4 KiB, and its connection is good for the next request', async () => {
    const receiver = await start(respond(200, { body: `${'x'.repeat(4_095)}é${'y'.repeat(10_000)}` }));
    const { send } = startClient();
    expect((await send(receiver.url)).response).toMatchObject({ body: 'x'.repeat(4_095), truncated: true });
    await send(receiver.url);
    expect(receiver.connectionCount).toBe(1);
  });

  it('of a gigabyte is read for 64 KiB, then cut, and judged by its status', async () => {
    const receiver = await start(flood(2 ** 30));
    const { send } = startClient();
    const before = process.memoryUsage();
    const exchange = await send(receiver.url);
    const after = process.memoryUsage();
    expect(exchange).toMatchObject({ outcome: 'success', status: 200, error: null });
    expect(exchange.response).toMatchObject({ body: 'a'.repeat(4_096), truncated: true });
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(32 * 2 ** 20);
    await eventually(() => receiver.openConnectionCount === 0, { message: 'The connection being closed' });
  });

  it.each([
    ['one huge header', `x: ${'a'.repeat(17_000)}\r\n`],
    [
      'many headers',
      Array.from({ length: 1_000 }, (_, index) => `x-${index}: ${'a'.repeat(20)}\r\n`).join(''),
    ],
  ])('whose head is over 16 KiB is too_large: %s', async (_, headers) => {
    const receiver = await startTcp((socket) => socket.once('data', () => socket.write(okText(headers))));
    const exchange = await startClient().send(receiver.url);
    expect(exchange).toMatchObject({ outcome: 'too_large', status: null, response: null });
    expect(exchange.error).toMatch(/16 KiB/);
  });

  it('keeps at most 32 headers and 4 KiB of them', async () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`x-${index}`, 'a']));
    const receiver = await start(respond(200, { headers: { 'x-large': 'a'.repeat(5_000), ...many } }));
    const { response } = await startClient().send(receiver.url);
    const kept = response?.headers ?? {};
    expect(Object.keys(kept).length).toBe(32);
    expect(kept).toMatchObject({ 'x-0': 'a' });
    expect(kept).not.toHaveProperty('x-large');
  });
});

describe('a receiver that takes its time', () => {
  it('and never answers is cut at the deadline', async () => {
    const receiver = await start(hang());
    const exchange = await startClient().send(receiver.url, { timeoutMs: 150 });
    expect(exchange).toMatchObject({
      outcome: 'timeout',
      status: null,
      response: null,
      address: '127.0.0.1',
    });
    expect(exchange.error).toBe('No answer came within 150 ms.');
    expect(exchange.durationMs).toBeGreaterThanOrEqual(145);
    expect(exchange.durationMs).toBeLessThan(1_500);
    expect(receiver.requests.length).toBe(1);
    await eventually(() => receiver.openConnectionCount === 0, { message: 'The connection being closed' });
  });

  it('and drips its body is cut at the deadline, however often a byte comes', async () => {
    const receiver = await start(drip({ everyMs: 10 }));
    const exchange = await startClient().send(receiver.url, { timeoutMs: 200 });
    expect(exchange).toMatchObject({ outcome: 'timeout', status: 200, response: { truncated: true } });
    expect(exchange.response?.body).toMatch(/^\.+$/);
    expect(exchange.error).toBe('The answer (200) was not complete within 200 ms.');
    expect(exchange.durationMs).toBeLessThan(1_500);
  });

  it('and drips its head is cut at the deadline', async () => {
    const receiver = await startTcp((socket) => {
      const text = okText();
      let at = 0;
      const timer = setInterval(() => socket.write(text[at++ % 20] ?? ''), 20);
      socket.on('close', () => clearInterval(timer));
    });
    const exchange = await startClient().send(receiver.url, { timeoutMs: 200 });
    expect(exchange).toMatchObject({ outcome: 'timeout', status: null });
  });

  it('and accepts no TLS handshake is cut at the deadline', async () => {
    const receiver = await startTcp((socket) => socket.resume());
    const exchange = await startClient().send(receiver.url.replace('http', 'https'), { timeoutMs: 150 });
    expect(exchange).toMatchObject({
      outcome: 'timeout',
      error: 'No connection could be made within 150 ms.',
    });
    await eventually(() => receiver.openConnectionCount === 0);
  });

  it('but answers in time is a success, and leaves no timer behind', async () => {
    const receiver = await start(delay(30, respond(200)));
    const timers = { open: 0 };
    const { send } = startClient({
      clock: {
        ...systemClock,
        setTimeout: (fn, ms) => {
          timers.open++;
          return systemClock.setTimeout(fn, ms);
        },
        clearTimeout: (timer) => {
          timers.open--;
          systemClock.clearTimeout(timer);
        },
      },
    });
    expect(await send(receiver.url)).toMatchObject({ outcome: 'success' });
    expect(timers.open).toBe(0);
  });
});

describe('a receiver that breaks off', () => {
  it.each([
    ['closes', closeWithoutAnswer()],
    ['resets', reset()],
  ])('and %s before its answer is a reset, and is not asked again', async (_, behaviour) => {
    const receiver = await start(behaviour);
    const exchange = await startClient().send(receiver.url);
    expect(exchange).toMatchObject({ outcome: 'reset', status: null, response: null });
    expect(receiver.requests.length).toBe(1);
  });

  it('in the middle of its head is a reset', async () => {
    const receiver = await startTcp((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nx-a: b\r\n')),
    );
    expect(await startClient().send(receiver.url)).toMatchObject({ outcome: 'reset', status: null });
  });

  it.each([200, 500])('in the middle of its body is judged by its status %i', async (status) => {
    const receiver = await start(breakBody(status));
    expect(await startClient().send(receiver.url)).toMatchObject({
      outcome: status === 200 ? 'success' : 'http_error',
      status,
      response: { body: 'begun but not', truncated: true },
    });
  });

  it.each([
    'garbage',
    'SSH-2.0-OpenSSH_9.2\r\n',
    'HTTP/1.1 abc\r\n\r\n',
    'HTTP/1.1 200 OK\r\nbad header\r\n\r\n',
    '\u0000\u0001',
  ])('and does not speak HTTP (%j) is a protocol error', async (text) => {
    const receiver = await startTcp((socket) => socket.once('data', () => socket.write(text)));
    const exchange = await startClient().send(receiver.url, { timeoutMs: 2_000 });
    expect(exchange).toMatchObject({
      outcome: 'protocol',
      status: null,
      error: 'What came back is not HTTP/1.1.',
    });
  });

  it('and switches protocols unasked is a protocol error', async () => {
    const head = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n';
    const receiver = await startTcp((socket) => socket.once('data', () => socket.write(head)));
    expect(await startClient().send(receiver.url)).toMatchObject({ outcome: 'protocol' });
  });

  it('and does not listen has refused', async () => {
    const receiver = await start();
    await receiver.close();
    const exchange = await startClient().send(receiver.url);
    expect(exchange).toMatchObject({
      outcome: 'refused',
      address: null,
      error: 'The connection was refused.',
    });
  });
});

describe('a request of ours that can not be built', () => {
  it.each([
    ['an invalid header value', { headers: ['x-a', 'b\r\nc: d'] }],
    ['an invalid header name', { headers: ['x a', 'b'] }],
    ['an invalid URL', { url: 'nonsense' }],
  ])('is our own fault: %s', async (_, changes) => {
    const receiver = await start();
    const exchange = await startClient().send(receiver.url, changes);
    expect(exchange).toMatchObject({ outcome: 'internal', status: null });
    expect(receiver.requests).toEqual([]);
  });

  it('does not spoil the next one', async () => {
    const receiver = await start();
    const { send } = startClient();
    await send(receiver.url);
    await send(receiver.url, { headers: ['x a', 'b'] });
    expect(await send(receiver.url)).toMatchObject({ outcome: 'success' });
  });
});
