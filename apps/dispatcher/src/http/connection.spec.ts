import { createTestAuthority, eventually } from '@posthorn/testing';
import { setUpReceivers } from './real-receivers.harness.ts';

const { start, startClient, startTcp, startZone } = setUpReceivers();

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
    const receiver = await start({ host: '::1' });
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
    const receiver = await start({ host: '::1' });
    const names = await startZone({ 'receiver.test': ['127.0.0.1', '::1'] });
    const exchange = await startClient({ dnsServers: [names.address] }).send(
      `http://receiver.test:${receiver.port}/`,
    );
    expect(exchange).toMatchObject({ outcome: 'success', address: '::1' });
  });

  it('that was checked is the one that is connected to, whatever the name servers say a moment later', async () => {
    const receiver = await start();
    const elsewhere = await startTcp((socket) => socket.destroy(), '127.0.0.2', receiver.port);
    const names = await startZone({ 'receiver.test': ['127.0.0.1'] }, 0);
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
    expect(elsewhere.connectionCount).toBe(0);
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
    const receiver = await start({ tls: issued });
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
