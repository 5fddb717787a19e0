import { freePort } from '@posthorn/testing';
import { peersOf, useGivenServer, withoutPassword } from './given-server.ts';
import { startKafka } from './kafka.ts';

describe('a server that was given', () => {
  const given = {
    product: 'MongoDB',
    variable: 'POSTHORN_TEST_MONGODB_URL',
    address: 'mongodb://tester:secret@db:27017',
    peers: [
      { host: 'a', port: 1 },
      { host: 'b', port: 2 },
    ],
    probe: ({ host }: { host: string }) =>
      host === 'b' ? Promise.resolve('8.2.1') : Promise.reject(new Error(`${host} is away`)),
  };

  test('is used when one of its addresses answers, and says its version', async () => {
    const server = await useGivenServer(given);
    expect(server).toMatchObject({ source: 'url', version: '8.2.1', canBeKilled: false });
    expect(server.description).toBe('MongoDB, version 8.2.1, given by POSTHORN_TEST_MONGODB_URL');
    await server.stop();
  });

  test('refuses to be made to fail, and says what to do', async () => {
    const server = await useGivenServer(given);
    for (const fail of [server.kill, server.restart, server.suspend, server.resume]) {
      await expect(fail()).rejects.toThrow(/canBeKilled first, or start one with \{ own: true \}/);
    }
  });

  test('that does not answer is an error without its password', async () => {
    const dead = { ...given, peers: given.peers.slice(0, 1) };
    await expect(useGivenServer(dead)).rejects.toThrow(
      "MongoDB doesn't answer (POSTHORN_TEST_MONGODB_URL=mongodb://tester:***@db:27017): Error: a is away",
    );
  });

  test('is asked for, not replaced, when nobody listens there', async () => {
    const before = process.env['POSTHORN_TEST_KAFKA_BROKERS'];
    process.env['POSTHORN_TEST_KAFKA_BROKERS'] = `127.0.0.1:${await freePort()}`;
    try {
      await expect(startKafka()).rejects.toThrow(/Kafka doesn't answer .*ECONNREFUSED/);
    } finally {
      if (before === undefined) delete process.env['POSTHORN_TEST_KAFKA_BROKERS'];
      else process.env['POSTHORN_TEST_KAFKA_BROKERS'] = before;
    }
  });

  test.each([
    [
      'a:1,b:2',
      [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
      ],
    ],
    [
      'a, 127.0.0.1:9094',
      [
        { host: 'a', port: 9092 },
        { host: '127.0.0.1', port: 9094 },
      ],
    ],
    ['[::1]:9093', [{ host: '::1', port: 9093 }]],
  ])('has the addresses of %s', (list, peers) => {
    expect(peersOf(list, 9092)).toEqual(peers);
  });

  test('keeps the rest of an address that has no password', () => {
    expect(withoutPassword('mongodb://a:1/?x=b@c')).toBe('mongodb://a:1/?x=b@c');
  });
});
