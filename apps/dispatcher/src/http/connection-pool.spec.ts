import { systemClock } from '@posthorn/runtime';
import { delay, eventually, hang, reset, respond } from '@posthorn/testing';
import { okText, setUpReceivers } from './real-receivers.harness.ts';

const { start, startClient, startTcp } = setUpReceivers();

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
        else socket.write(okText());
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
        if (++requests === 1) socket.write(okText());
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
        if (++requests === 1) socket.write(okText());
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
