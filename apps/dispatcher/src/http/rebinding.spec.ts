import { systemClock } from '@posthorn/runtime';
import { eventually, type Zone } from '@posthorn/testing';
import { setUpReceivers } from './real-receivers.harness.ts';

const { start, startClient, startTcp, startZone } = setUpReceivers();

/** Where no name server listens. */
const nobody = '127.0.0.1:9';

describe('a name server that is the attacker’s', () => {
  it.each<[string, Zone[string]]>([
    ['an alias of localhost', { alias: 'localhost', addresses: ['127.0.0.1'] }],
    ['an alias of a name inside', { alias: 'db.internal.test', addresses: ['10.0.0.5'] }],
    ['an IPv4-mapped address', ['::ffff:7f00:1']],
    ['a NAT64 form of an address inside', ['64:ff9b::a00:5']],
    ['a 6to4 form of an address inside', ['2002:a00:5::1']],
    ['a public address and the metadata service’s', ['93.184.215.14', '169.254.169.254']],
    ['a public IPv4 and a private IPv6 address', ['93.184.215.14', 'fd00::5']],
    ['a private IPv4 and a public IPv6 address', ['192.168.0.5', '2606:4700::1111']],
    ['the unspecified address', ['0.0.0.0']],
  ])('gets nothing for %s', async (_, entry) => {
    const receiver = await start();
    const names = await startZone({ 'evil.test': entry }, 0);
    const { send } = startClient({ allow: [], dnsServers: [names.address] });
    const exchange = await send(`http://evil.test:${receiver.port}/`);
    expect(exchange).toMatchObject({ outcome: 'blocked', address: null, response: null });
    // What the name resolved to may be somebody's network: the tenant isn't told.
    expect(exchange.error).toBe('evil.test resolves to an address that deliveries may not reach.');
    expect(receiver.connectionCount).toBe(0);
  });

  it('moves no connection that is kept, and nothing else once that has had its minute', async () => {
    const receiver = await start({ keepAliveTimeoutMs: 60_000 });
    const inside = await startTcp((socket) => socket.destroy(), '127.0.0.2', receiver.port);
    const names = await startZone({ 'evil.test': ['127.0.0.1'] }, 0);
    let skippedMs = 0;
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + skippedMs };
    const { send } = startClient({ allow: ['127.0.0.1/32'], dnsServers: [names.address], clock });
    const url = `http://evil.test:${receiver.port}/`;
    expect(await send(url)).toMatchObject({ outcome: 'success', address: '127.0.0.1' });
    names.zone['evil.test'] = ['127.0.0.2'];
    expect(await send(url)).toMatchObject({ outcome: 'success', address: '127.0.0.1' });
    skippedMs = 60_000;
    expect(await send(url)).toMatchObject({ outcome: 'blocked', address: null });
    expect([receiver.connectionCount, inside.connectionCount]).toEqual([1, 0]);
  });

  it.each<[string, Zone[string] | 'away', RegExp]>([
    ['is away', 'away', /could not answer|did not answer/],
    ['never answers', 'hangs', /did not answer for slow.test in time/],
    ['answers with a part only, and takes no TCP', 'truncated', /could not answer|did not answer/],
    ['answers with garbage', 'garbled', /could not answer|did not answer/],
    ['knows no address', { alias: 'nowhere.test', addresses: [] }, /has no address/],
  ])('that %s is a failure of DNS, in bounded time', async (_, entry, error) => {
    const server = entry === 'away' ? nobody : (await startZone({ 'slow.test': entry })).address;
    const { send } = startClient({ dnsServers: [server] });
    const exchange = await send('http://slow.test/', { timeoutMs: 30_000 });
    expect(exchange).toMatchObject({ outcome: 'dns', address: null });
    expect(exchange.error).toMatch(error);
    // Two seconds are what a look-up may take; the rest is for a machine that is busy.
    expect(exchange.durationMs).toBeLessThan(20_000);
  });
});

describe('a connection that is kept', () => {
  it('is not used once its address may not be reached any more', async () => {
    const receiver = await start({ keepAliveTimeoutMs: 60_000 });
    const forbidden = new Set<string>();
    const resolver = {
      resolve: () => ({ ok: true as const, addresses: ['127.0.0.1'] }),
      isAllowed: (address: string) => !forbidden.has(address),
      close: () => undefined,
    };
    const { send } = startClient({ resolver });
    expect(await send(receiver.url)).toMatchObject({ outcome: 'success' });
    forbidden.add('127.0.0.1');
    expect(await send(receiver.url)).toMatchObject({ outcome: 'blocked', address: null });
    expect(receiver.requests.length).toBe(1);
    await eventually(() => receiver.openConnectionCount === 0);
  });
});
