import {
  createTestAuthority,
  eventually,
  startForwardProxy,
  type ForwardProxyOptions,
} from '@posthorn/testing';
import { setUpReceivers, type ClientOptions } from './real-receivers.harness.ts';
import { egressProxyOf } from './tunnel.ts';

const { start, startClient, startTcp, startZone } = setUpReceivers();

describe('egressProxyOf', () => {
  it.each([
    ['http://proxy', { isTls: false, host: 'proxy', port: 80, authorization: null }],
    ['https://proxy', { isTls: true, host: 'proxy', port: 443, authorization: null }],
    ['http://[::1]:3128', { isTls: false, host: '::1', port: 3128, authorization: null }],
    ['http://u:p%40%3A@proxy:1', { authorization: `Basic ${Buffer.from('u:p@:').toString('base64')}` }],
    ['http://u@proxy:1', { authorization: `Basic ${Buffer.from('u:').toString('base64')}` }],
  ])('reads %s', (url, proxy) => {
    expect(egressProxyOf(new URL(url))).toMatchObject(proxy);
  });
});

describe('through an egress proxy', () => {
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });

  async function startProxied(options: ForwardProxyOptions & ClientOptions = {}) {
    const proxy = await startForwardProxy(options);
    closers.push(() => proxy.close());
    const { send } = startClient({ egressProxy: new URL(proxy.url), ...options });
    return { proxy, send };
  }

  it('an http target is reached by its address, and its name stays in the Host header', async () => {
    const receiver = await start();
    const names = await startZone({ 'receiver.test': ['127.0.0.1'] });
    const { proxy, send } = await startProxied({ dnsServers: [names.address] });
    const exchange = await send(`http://receiver.test:${receiver.port}/hooks`);
    expect(exchange).toMatchObject({ outcome: 'success', status: 204, address: '127.0.0.1' });
    expect(proxy.targets).toEqual([`127.0.0.1:${receiver.port}`]);
    expect(receiver.requests[0]).toMatchObject({
      path: '/hooks',
      headers: { host: `receiver.test:${receiver.port}` },
    });
  });

  it('an address of IPv6 is named in brackets', async () => {
    const receiver = await start({ host: '::1' });
    const { proxy, send } = await startProxied();
    expect(await send(receiver.url)).toMatchObject({ outcome: 'success', address: '::1' });
    expect(proxy.targets).toEqual([`[::1]:${receiver.port}`]);
  });

  describe('TLS ends at the receiver', () => {
    const authority = createTestAuthority();
    const trusted = { extraCertificateAuthorities: [authority.cert] };

    it('and is verified for its name, though the proxy is told the address', async () => {
      const receiver = await start({ tls: authority.issue({ names: ['receiver.test'] }) });
      const names = await startZone({ 'receiver.test': ['127.0.0.1'], 'other.test': ['127.0.0.1'] });
      const { proxy, send } = await startProxied({ dnsServers: [names.address], ...trusted });
      expect(await send(`https://receiver.test:${receiver.port}/`)).toMatchObject({
        outcome: 'success',
        address: '127.0.0.1',
      });
      expect(await send(`https://other.test:${receiver.port}/`)).toMatchObject({
        outcome: 'tls',
        error: 'The certificate is for another name.',
      });
      expect(proxy.targets).toEqual(Array(2).fill(`127.0.0.1:${receiver.port}`));
      expect(receiver.requests.length).toBe(1);
      await eventually(() => proxy.openTunnelCount === 1, { message: 'The refused connection being closed' });
    });

    it('and is cut at the deadline when it gets nowhere', async () => {
      const receiver = await startTcp((socket) => socket.resume());
      const { proxy, send } = await startProxied();
      const exchange = await send(receiver.url.replace('http', 'https'), { timeoutMs: 2_000 });
      expect(exchange).toMatchObject({
        outcome: 'timeout',
        error: 'No connection could be made within 2000 ms.',
      });
      await eventually(() => proxy.openTunnelCount === 0);
    });
  });

  it('connections are kept, and never shared between organisations', async () => {
    const receiver = await start({ keepAliveTimeoutMs: 60_000 });
    const { proxy, send } = await startProxied();
    for (const organisationId of ['o1', 'o1', 'o2', 'o2']) await send(receiver.url, { organisationId });
    expect(proxy.connectionCount).toBe(2);
    expect(receiver.connectionCount).toBe(2);
  });

  it('a kept connection that the proxy ended costs no attempt: the request is sent anew', async () => {
    const receiver = await start({ keepAliveTimeoutMs: 60_000 });
    const { proxy, send } = await startProxied();
    await send(receiver.url);
    receiver.behave(({ request, response }) => {
      if (request.number === 2) proxy.cutTunnels();
      else response.writeHead(204).end();
    });
    expect(await send(receiver.url)).toMatchObject({ outcome: 'success' });
    expect(proxy.connectionCount).toBe(2);
  });

  it.each([
    ['http://127.0.0.1/', 'an address that is not public'],
    ['http://private.test/', 'a name that resolves to one'],
    ['http://mixed.test/', 'a name that resolves to one among others'],
    ['http://localhost/', 'localhost'],
  ])('%s is not asked for: %s', async (url) => {
    const names = await startZone({
      'private.test': ['10.0.0.1'],
      'mixed.test': ['8.8.8.8', 'fd00::1'],
    });
    const { proxy, send } = await startProxied({ allow: [], dnsServers: [names.address] });
    expect(await send(url)).toMatchObject({ outcome: 'blocked', address: null });
    expect(proxy.connectionCount).toBe(0);
  });

  it('a name that does not resolve is not left to the proxy', async () => {
    const names = await startZone({});
    const { proxy, send } = await startProxied({ dnsServers: [names.address] });
    expect(await send('http://receiver.test/')).toMatchObject({ outcome: 'dns' });
    expect(proxy.connectionCount).toBe(0);
  });

  it('the next address of a name is tried when the proxy can not reach the first, or takes too long', async () => {
    const receiver = await start({ host: '::1' });
    const names = await startZone({ 'receiver.test': ['127.0.0.1', '::1'] });
    const { proxy, send } = await startProxied({ dnsServers: [names.address] });
    for (const [index, behaviour] of ([502, 'hang'] as const).entries()) {
      proxy.behave(behaviour, `127.0.0.1:${receiver.port}`);
      const exchange = await send(`http://receiver.test:${receiver.port}/`, { organisationId: `o${index}` });
      expect(exchange).toMatchObject({ outcome: 'success', address: '::1' });
    }
    expect(receiver.requests.length).toBe(2);
  });

  it('credentials are shown to the proxy and to nobody else', async () => {
    const receiver = await start();
    const { proxy, send } = await startProxied({ credentials: 'posthorn:s3cret' });
    expect(proxy.url).toContain('posthorn:s3cret@');
    expect(await send(receiver.url)).toMatchObject({ outcome: 'success' });
    expect(JSON.stringify(receiver.requests[0]?.rawHeaders).toLowerCase()).not.toContain('proxy');
  });

  it('a proxy over TLS is spoken to, also for receivers with TLS of their own', async () => {
    const authority = createTestAuthority();
    const tls = authority.issue({ names: ['127.0.0.1'] });
    const receivers = [await start(), await start({ tls })];
    const { proxy, send } = await startProxied({ tls, extraCertificateAuthorities: [authority.cert] });
    for (const { url } of receivers) {
      expect(await send(url)).toMatchObject({ outcome: 'success', address: '127.0.0.1' });
    }
    expect(proxy.targets).toEqual(receivers.map(({ port }) => `127.0.0.1:${port}`));
  });

  it('a proxy over TLS is refused while its certificate is not trusted', async () => {
    const authority = createTestAuthority();
    const { proxy, send } = await startProxied({ tls: authority.issue({ names: ['127.0.0.1'] }) });
    const exchange = await send('http://127.0.0.1:9/');
    expect(exchange).toMatchObject({ outcome: 'internal', address: null });
    expect(exchange.error).toMatch(/^The egress proxy could not be reached \([A-Z_]+\)\.$/);
    expect(proxy.targets).toEqual([]);
  });

  it.each([
    ['wants other credentials', 407, 'internal', 'The egress proxy does not accept our credentials (407).'],
    ['forbids the target', 403, 'internal', 'The egress proxy refused to connect to the receiver (403).'],
    ['answers nonsense', 'garbage', 'internal', /ended the connection, or answered in no way/],
    ['closes', 'close', 'internal', /ended the connection, or answered in no way/],
    ['can not reach it', 502, 'refused', 'The egress proxy could not reach the receiver (502).'],
    ['has no way to it', 503, 'refused', 'The egress proxy could not reach the receiver (503).'],
    ['gave up on it', 504, 'timeout', 'The egress proxy did not reach the receiver in time (504).'],
    ['hangs', 'hang', 'timeout', 'The egress proxy made no connection to the receiver within 2000 ms.'],
  ] as const)('a proxy that %s is told apart from a bad receiver', async (_, behaviour, outcome, error) => {
    const receiver = await start();
    const { proxy, send } = await startProxied();
    proxy.behave(behaviour);
    const exchange = await send(receiver.url, behaviour === 'hang' ? { timeoutMs: 2_000 } : {});
    expect(exchange).toMatchObject({ outcome, status: null, response: null, address: null });
    expect(exchange.error).toEqual(typeof error === 'string' ? error : expect.stringMatching(error));
    expect(exchange.error).not.toContain(String(proxy.port));
    expect(receiver.connectionCount).toBe(0);

    // It was nothing that stays.
    proxy.behave('serve');
    expect(await send(receiver.url)).toMatchObject({ outcome: 'success' });
  });

  it('a receiver that refuses is a refusal, as the proxy tells it', async () => {
    const receiver = await start();
    await receiver.close();
    const { send } = await startProxied();
    expect(await send(receiver.url)).toMatchObject({ outcome: 'refused', address: null });
  });

  it('a proxy that is away is our fault, and no receiver’s', async () => {
    const receiver = await start();
    const { proxy, send } = await startProxied();
    await proxy.close();
    expect(await send(receiver.url)).toMatchObject({
      outcome: 'internal',
      error: 'The egress proxy could not be reached (ECONNREFUSED).',
    });
    expect(receiver.connectionCount).toBe(0);
  });

  it('a proxy that does not get through its own handshake is ours too, and cut at the deadline', async () => {
    const silent = await startTcp((socket) => socket.resume());
    const { send } = startClient({ egressProxy: new URL(`https://127.0.0.1:${silent.port}`) });
    expect(await send('http://127.0.0.1:9/', { timeoutMs: 2_000 })).toMatchObject({
      outcome: 'internal',
      error: 'The egress proxy could not be reached within 2000 ms.',
    });
    await eventually(() => silent.openConnectionCount === 0);
  });
});
