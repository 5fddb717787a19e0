import { failTimes, reset, respond } from './receiver-behaviours.ts';
import { startReceiver, startTcpReceiver, type Receiver } from './receiver.ts';

describe('startReceiver', () => {
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await startReceiver();
  });
  afterEach(() => receiver.close());

  const post = async (body: string): Promise<number> => {
    const headers = { connection: 'close', 'x-test': 'a' };
    return (await fetch(`${receiver.url}/hook?x=1`, { method: 'POST', body, headers })).status;
  };

  it('records what it gets and answers 204', async () => {
    expect(await post('{"é":1}')).toBe(204);
    expect(receiver.requests).toMatchObject([
      {
        number: 1,
        method: 'POST',
        path: '/hook?x=1',
        headers: { 'x-test': 'a' },
        body: Buffer.from('{"é":1}'),
      },
    ]);
    expect(receiver.connectionCount).toBe(1);
  });

  it('answers as it is told, from the next request on', async () => {
    receiver.behave(500);
    expect(await post('')).toBe(500);
    receiver.behave(failTimes(1, reset(), respond(201)));
    await expect(post('')).rejects.toThrow();
    expect(await post('')).toBe(201);
    expect(receiver.requests.length).toBe(3);
  });

  it('waits for a number of requests, and says how many came when they do not', async () => {
    const waiting = receiver.waitFor(2);
    await Promise.all([post('1'), post('2')]);
    expect((await waiting).length).toBe(2);
    await expect(receiver.waitFor(3, 5)).rejects.toThrow(
      'Receiving 3 requests did not hold within 5 ms: 2 came',
    );
  });
});

describe('startTcpReceiver', () => {
  it('leaves the connection to its caller and counts them', async () => {
    const receiver = await startTcpReceiver((socket) => socket.end('not HTTP'));
    await expect(fetch(`http://127.0.0.1:${receiver.port}`)).rejects.toThrow();
    expect(receiver.connectionCount).toBe(1);
    await receiver.close();
  });
});
