import { Resolver } from 'node:dns/promises';
import { startNameServer } from './name-server.ts';

describe('startNameServer', () => {
  it('answers node’s resolver from its zone', async () => {
    const server = await startNameServer({ 'a.test': ['192.0.2.1', '192.0.2.2', '2001:db8::1:2'] }, 7);
    const resolver = new Resolver({ timeout: 1_000, tries: 1 });
    resolver.setServers([server.address]);
    expect(await resolver.resolve4('a.test', { ttl: true })).toEqual([
      { address: '192.0.2.1', ttl: 7 },
      { address: '192.0.2.2', ttl: 7 },
    ]);
    expect(await resolver.resolve6('A.test')).toEqual(['2001:db8::1:2']);
    await expect(resolver.resolve4('b.test')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    server.zone['b.test'] = ['192.0.2.3'];
    expect(await resolver.resolve4('b.test')).toEqual(['192.0.2.3']);
    await expect(resolver.resolve6('b.test')).rejects.toMatchObject({ code: 'ENODATA' });
    expect(server.questions[0]).toBe('a.test');
    await server.close();
  });
});
