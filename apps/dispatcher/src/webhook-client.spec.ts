/** Receivers as they are: slow, broken, hostile. All of them are real servers on this machine, opened by the allow list. */
import { createServer, type Server, type Socket } from 'node:net';
import { createAllowList } from '@posthorn/models';
import { createTargetResolver, systemClock } from '@posthorn/runtime';
import {
  breakBody,
  closeWithoutAnswer,
  createTestAuthority,
  delay,
  drip,
  eventually,
  flood,
  hang,
  reset,
  respond,
  startLeakCheck,
  startNameServer,
  startReceiver,
  startTcpReceiver,
  type Behaviour,
  type Receiver,
  type Zone,
} from '@posthorn/testing';
import {
  createWebhookClient,
  type Exchange,
  type WebhookClientOptions,
  type WebhookRequest,
} from './webhook-client.ts';

const checkLeaks = startLeakCheck();
const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
afterAll(checkLeaks);

const loopback = ['127.0.0.0/8', '::1/128'];

interface StartOptions extends Partial<WebhookClientOptions> {
  allow?: string[];
  dnsServers?: string[];
}

function startClient({ allow = loopback, dnsServers = ['127.0.0.1:9'], ...options }: StartOptions = {}) {
  const resolver = createTargetResolver({ allow: createAllowList(allow), clock: systemClock, dnsServers });
  const client = createWebhookClient({
    resolver,
    clock: systemClock,
    userAgent: 'Posthorn/test',
    ...options,
  });
  closers.push(async () => {
    resolver.close();
    await client.close();
  });
  const send = (url: string, request: Partial<WebhookRequest> = {}): Promise<Exchange> =>
    client.send({
      url,
      organisationId: 'o1',
      headers: ['webhook-id', 'msg_1'],
      body: Buffer.from('{"a":1}'),
      timeoutMs: 10_000,
      ...request,
    });
  return { client, send };
}

async function start(behaviour: Behaviour | number = 204, host?: string): Promise<Receiver> {
  const receiver = await startReceiver({ behaviour, ...(host !== undefined && { host }) });
  closers.push(() => receiver.close());
  return receiver;
}

async function startTcp(onConnection: (socket: Socket, number: number) => void) {
  const receiver = await startTcpReceiver(onConnection);
  closers.push(() => receiver.close());
  return { ...receiver, url: `http://127.0.0.1:${receiver.port}/` };
}

async function startZone(zone: Zone) {
  const server = await startNameServer(zone);
  closers.push(() => server.close());
  return server;
}

const ok = (headers = ''): string => `HTTP/1.1 200 OK\r\n${headers}content-length: 2\r\n\r\nok`;

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
      socket.once('data', () => socket.write(`HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${ok()}`));
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
    const receiver = await startTcp((socket) => socket.once('data', () => socket.write(ok(headers))));
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
      const text = ok();
      let at = 0;
      const timer = setInterval(() => socket.write(text[at++ % 20] ?? ''), 20);
      socket.on('close', () => clearInterval(timer));
    });
    const exchange = await startClient().send(receiver.url, { timeoutMs: 200 });
    expect(exchange).toMatchObject({ outcome: 'timeout', status: null });
  });

  it('and accepts no TLS handshake is cut at the deadline', async () => {
    const receiver = await startTcp(() => undefined);
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

describe('a connection', () => {
  it('is used again for the same origin', async () => {
    const receiver = await start();
    const { send } = startClient();
    for (const path of ['/a', '/b', '/c']) await send(receiver.url + path);
    expect(receiver.connectionCount).toBe(1);
  });

  it('is never shared between organisations', async () => {
    const receiver = await start();
    const { send } = startClient();
    await send(receiver.url, { organisationId: 'o1' });
    await send(receiver.url, { organisationId: 'o2' });
    expect(receiver.connectionCount).toBe(2);
  });

  it('is not used for longer than a minute', async () => {
    const receiver = await start();
    let skippedMs = 0;
    const { send } = startClient({
      clock: { ...systemClock, monotonic: () => systemClock.monotonic() + skippedMs },
    });
    await send(receiver.url);
    skippedMs = 60_000;
    expect(await send(receiver.url)).toMatchObject({ outcome: 'success' });
    expect(receiver.connectionCount).toBe(2);
  });

  it('that the receiver closed after its answer is not used again', async () => {
    const receiver = await start(respond(200, { headers: { connection: 'close' } }));
    const { send } = startClient();
    for (let count = 0; count < 3; count++)
      expect(await send(receiver.url)).toMatchObject({ outcome: 'success' });
    expect(receiver.connectionCount).toBe(3);
  });

  it('that was kept and then closed without one byte costs no attempt: the request is sent anew', async () => {
    const received: number[] = [];
    const receiver = await startTcp((socket, number) => {
      socket.on('data', () => {
        received.push(number);
        // The first connection answers once and is dead when the next request comes.
        if (number === 1 && received.length === 2) socket.resetAndDestroy();
        else socket.write(ok());
      });
    });
    const { send } = startClient();
    expect(await send(receiver.url)).toMatchObject({ outcome: 'success' });
    expect(await send(receiver.url)).toMatchObject({ outcome: 'success' });
    expect(received).toEqual([1, 1, 2]);
  });

  it('that was kept and closed again on the second try is a reset: it is sent twice at most', async () => {
    let requests = 0;
    const receiver = await startTcp((socket) => {
      socket.on('data', () => {
        if (++requests === 1) socket.write(ok());
        else socket.end();
      });
    });
    const { send } = startClient();
    await send(receiver.url);
    expect(await send(receiver.url)).toMatchObject({ outcome: 'reset' });
    expect(requests).toBe(3);
  });

  it('that was kept and broke in the middle of a head is a reset, and not sent anew', async () => {
    let requests = 0;
    const receiver = await startTcp((socket) => {
      socket.on('data', () => {
        if (++requests === 1) socket.write(ok());
        else socket.end('HTTP/1.1 20');
      });
    });
    const { send } = startClient();
    await send(receiver.url);
    expect(await send(receiver.url)).toMatchObject({ outcome: 'reset' });
    expect(requests).toBe(2);
  });

  it('is waited for when there are as many as there may be, within the deadline', async () => {
    const receiver = await start(delay(50, respond(200)));
    const { send } = startClient({ maxConnectionsPerOrigin: 2 });
    const exchanges = await Promise.all(Array.from({ length: 6 }, () => send(receiver.url)));
    expect(exchanges.map(({ outcome }) => outcome)).toEqual(Array(6).fill('success'));
    expect(receiver.connectionCount).toBe(2);

    receiver.behave(hang());
    const holding = [1, 2].map(() => send(receiver.url, { timeoutMs: 500 }));
    expect(await send(receiver.url, { timeoutMs: 100 })).toMatchObject({
      outcome: 'timeout',
      error: 'All 2 connections to the receiver were busy for 100 ms.',
    });
    await Promise.all(holding);
    receiver.behave(200);
    expect(await send(receiver.url)).toMatchObject({ outcome: 'success' });
  });

  it('that fails makes room for those that wait', async () => {
    const receiver = await start(reset());
    const { send } = startClient({ maxConnectionsPerOrigin: 1 });
    const exchanges = await Promise.all([1, 2, 3].map(() => send(receiver.url)));
    expect(exchanges.map(({ outcome }) => outcome)).toEqual(['reset', 'reset', 'reset']);
  });

  it('that is idle is closed beyond a number of them, the oldest first', async () => {
    const receivers = [await start(), await start(), await start()];
    const { send } = startClient({ maxIdleConnections: 2 });
    for (const receiver of receivers) await send(receiver.url);
    await eventually(() =>
      expect(receivers.map((receiver) => receiver.openConnectionCount)).toEqual([0, 1, 1]),
    );
  });

  it('that is idle is closed with the client, one in use when its request has ended', async () => {
    const receiver = await start(delay(50, respond(200)));
    const { client, send } = startClient();
    await send(receiver.url);
    const running = [send(receiver.url), send(receiver.url)];
    await receiver.waitFor(3);
    await client.close();
    expect(await Promise.all(running)).toMatchObject([{ outcome: 'success' }, { outcome: 'success' }]);
    await eventually(() => receiver.openConnectionCount === 0);
  });
});

describe('an address', () => {
  it.each([
    'http://127.0.0.1',
    'http://[::1]',
    'http://localhost',
    'http://0x7f.1',
    'http://169.254.169.254',
    'https://10.0.0.1',
  ])('that is not public is not connected to: %s', async (origin) => {
    const receiver = await start();
    const exchange = await startClient({ allow: [] }).send(`${origin}:${receiver.port}/`);
    expect(exchange).toMatchObject({ outcome: 'blocked', status: null, address: null });
    expect(receiver.connectionCount).toBe(0);
  });

  it('of IPv6 is connected to', async () => {
    const receiver = await start(204, '::1');
    expect(await startClient().send(receiver.url)).toMatchObject({ outcome: 'success', address: '::1' });
    expect(receiver.requests[0]?.headers.host).toBe(`[::1]:${receiver.port}`);
  });

  it('of a name comes from the name servers, and the name stays in the Host header', async () => {
    const receiver = await start();
    const names = await startZone({ 'receiver.test': ['127.0.0.1'] });
    const exchange = await startClient({ dnsServers: [names.address] }).send(
      `http://receiver.test:${receiver.port}/`,
    );
    expect(exchange).toMatchObject({ outcome: 'success', address: '127.0.0.1' });
    expect(receiver.requests[0]?.headers.host).toBe(`receiver.test:${receiver.port}`);
  });

  it.each([
    ['is private', ['10.0.0.1']],
    ['is private in IPv6', ['fd00::1']],
    ['is mixed with public ones', ['8.8.8.8', '127.0.0.1']],
    ['is mixed in the other family', ['8.8.8.8', '::1']],
  ])('that %s makes its name refused', async (_, addresses) => {
    const names = await startZone({ 'receiver.test': addresses });
    const { send } = startClient({ allow: [], dnsServers: [names.address] });
    expect(await send('http://receiver.test/')).toMatchObject({ outcome: 'blocked', address: null });
  });

  it('that can not be connected to gives way to the next one of the name', async () => {
    const receiver = await start(204, '::1');
    const names = await startZone({ 'receiver.test': ['127.0.0.1', '::1'] });
    const exchange = await startClient({ dnsServers: [names.address] }).send(
      `http://receiver.test:${receiver.port}/`,
    );
    expect(exchange).toMatchObject({ outcome: 'success', address: '::1' });
  });

  it('that was checked is the one that is connected to, whatever the name servers say a moment later', async () => {
    const receiver = await start();
    const elsewhere = createServer();
    await listenOn(elsewhere, receiver.port, '127.0.0.2');
    let rebound = 0;
    elsewhere.on('connection', (socket) => {
      rebound++;
      socket.destroy();
    });
    const names = await startNameServer({ 'receiver.test': ['127.0.0.1'] }, 0);
    closers.push(() => names.close());
    const { send } = startClient({ allow: ['127.0.0.1/32'], dnsServers: [names.address] });
    const first = send(`http://receiver.test:${receiver.port}/`);
    await eventually(() => names.questions.length >= 2);
    names.zone['receiver.test'] = ['127.0.0.2'];
    expect(await first).toMatchObject({ outcome: 'success', address: '127.0.0.1' });
    // Another organisation has no connection yet: its name is judged anew once the first answer has been forgotten.
    let organisations = 1;
    await eventually(
      async () => {
        const organisationId = `o${++organisations}`;
        const later = await send(`http://receiver.test:${receiver.port}/`, { organisationId });
        expect(later).toMatchObject({ outcome: 'blocked' });
      },
      { everyMs: 100 },
    );
    expect(rebound).toBe(0);
  });

  it.each([
    ['does not exist', [] as string[] | 'hangs', 'The name receiver.test has no address.'],
    ['is not answered for', 'hangs' as const, 'receiver.test was not resolved within 300 ms.'],
  ])('of a name that %s is a failure of DNS', async (_, entry, error) => {
    const names = await startZone({ 'receiver.test': entry });
    const { send } = startClient({ dnsServers: [names.address] });
    const exchange = await send('http://receiver.test/', { timeoutMs: 300 });
    expect(exchange).toMatchObject({ outcome: 'dns', status: null, address: null, error });
  });
});

describe('TLS', () => {
  const authority = createTestAuthority();
  const names = ['receiver.test', '127.0.0.1'];

  async function startTls(issued = authority.issue({ names })) {
    const receiver = await startReceiver({ tls: issued });
    closers.push(() => receiver.close());
    const zone = await startZone({ 'receiver.test': ['127.0.0.1'], 'other.test': ['127.0.0.1'] });
    return {
      receiver,
      dnsServers: [zone.address],
      on: (host: string) => `https://${host}:${receiver.port}/`,
    };
  }

  it.each(['receiver.test', '127.0.0.1'])(
    'verifies the certificate for %s, which the address was pinned for',
    async (host) => {
      const { dnsServers, on } = await startTls();
      const { send } = startClient({ dnsServers, extraCertificateAuthorities: [authority.cert] });
      expect(await send(on(host))).toMatchObject({ outcome: 'success', status: 204, address: '127.0.0.1' });
    },
  );

  it.each([
    ['an unknown authority', 'receiver.test', undefined, [], /trusted authority/],
    ['another name', 'other.test', undefined, [authority.cert], /another name/],
    [
      'a time that is over',
      'receiver.test',
      { validTo: new Date('2020-01-01') },
      [authority.cert],
      /expired/,
    ],
    [
      'a time to come',
      'receiver.test',
      { validFrom: new Date('2049-01-01') },
      [authority.cert],
      /not valid yet/,
    ],
  ])('refuses a certificate of %s before anything is sent', async (_, host, validity, trusted, error) => {
    const { receiver, dnsServers, on } = await startTls(authority.issue({ names, ...validity }));
    const { send } = startClient({ dnsServers, extraCertificateAuthorities: trusted });
    const exchange = await send(on(host));
    expect(exchange).toMatchObject({ outcome: 'tls', status: null, error: expect.stringMatching(error) });
    expect(receiver.requests).toEqual([]);
  });

  it('is refused by a receiver that speaks plain HTTP', async () => {
    const receiver = await start();
    const exchange = await startClient().send(receiver.url.replace('http', 'https'));
    expect(exchange).toMatchObject({ outcome: 'tls', error: 'The TLS connection could not be made.' });
  });

  it('costs no attempt either when a kept connection was closed', async () => {
    const { receiver, dnsServers, on } = await startTls();
    const { send } = startClient({ dnsServers, extraCertificateAuthorities: [authority.cert] });
    await send(on('receiver.test'));
    receiver.behave(({ request, socket, response }) => {
      if (request.number === 2) socket.destroy();
      else response.writeHead(204).end();
    });
    expect(await send(on('receiver.test'))).toMatchObject({ outcome: 'success' });
    expect(receiver.requests.length).toBe(3);
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

async function listenOn(server: Server, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  closers.push(() => new Promise((resolve) => server.close(() => resolve())));
}
