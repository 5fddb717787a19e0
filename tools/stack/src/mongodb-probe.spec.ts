import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { writeBson } from './bson.ts';
import { initiateReplicaSet, probeMongodb } from './mongodb-probe.ts';

describe('probeMongodb', () => {
  let server: Server | undefined;
  afterEach(() => new Promise((resolve) => server?.close(resolve)));

  /** A server that answers every command with these bytes. */
  async function serverThatSays(answer: Buffer): Promise<{ host: string; port: number }> {
    const listening = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => socket.write(answer));
    });
    server = listening;
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    return { host: '127.0.0.1', port: (listening.address() as AddressInfo).port };
  }

  function message(body: Parameters<typeof writeBson>[0], isWritablePrimary: boolean): Buffer {
    const field = Buffer.from(`\x08isWritablePrimary\x00${isWritablePrimary ? '\x01' : '\x00'}`, 'latin1');
    const rest = writeBson(body).subarray(4);
    const head = Buffer.alloc(25);
    head.writeInt32LE(head.length + field.length + rest.length, 0);
    head.writeInt32LE(2013, 12);
    head.writeInt32LE(4 + field.length + rest.length, 21);
    return Buffer.concat([head, field, rest]);
  }

  test('tells the version of a replica set that takes writes', async () => {
    const peer = await serverThatSays(message({ setName: 'rs', version: '8.0.4' }, true));
    await expect(probeMongodb(peer)).resolves.toBe('8.0.4');
  });

  test('takes a server whose version is its secret, and a router', async () => {
    const peer = await serverThatSays(message({ msg: 'isdbgrid' }, true));
    await expect(probeMongodb(peer)).resolves.toBeNull();
  });

  test('refuses a server on its own, and says what to do', async () => {
    const peer = await serverThatSays(message({ version: '8.0.4' }, true));
    await expect(probeMongodb(peer)).rejects.toThrow(
      /has to be a replica set, if only of one: mongod --replSet/,
    );
  });

  test('refuses one that takes no writes', async () => {
    const peer = await serverThatSays(message({ setName: 'rs' }, false));
    await expect(probeMongodb(peer)).rejects.toThrow('takes no writes yet');
  });

  test('refuses what is not a MongoDB', async () => {
    const answer = Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n');
    answer.writeInt32LE(answer.length, 0);
    await expect(probeMongodb(await serverThatSays(answer))).rejects.toThrow(
      "doesn't speak MongoDB's protocol",
    );
  });

  test('takes a replica set that was initiated before for initiated, and no other failure', async () => {
    const initiated = await serverThatSays(message({ ok: 0, code: 23 }, true));
    await expect(initiateReplicaSet(initiated, 'rs')).resolves.toBeUndefined();
    await new Promise((resolve) => server?.close(resolve));
    const refused = await serverThatSays(message({ ok: 0, code: 13, errmsg: 'not authorized' }, true));
    await expect(initiateReplicaSet(refused, 'rs')).rejects.toThrow("couldn't be initiated: not authorized");
  });
});
