import type { Socket } from 'node:net';
import {
  breakBody,
  closeWithoutAnswer,
  createTestAuthority,
  drip,
  eventually,
  flood,
  hang,
  reset,
  respond,
  startReceiver,
  startTcpReceiver,
  type Behaviour,
  type Listening,
  type Receiver,
} from '@posthorn/testing';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import { createTenant, patienceMs, type DeliveryAnswer, type Tenant } from './tenant.ts';

let platform: PlatformProcess;
let tenant: Tenant;
const open: Listening[] = [];

beforeAll(async () => {
  platform = await preparePlatform();
  await platform.start();
});
afterAll(() => platform.dispose());
beforeEach(async () => {
  tenant = await createTenant(platform);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((receiver) => receiver.close()));
});

async function behaving(behaviour: Behaviour | number): Promise<Receiver> {
  const receiver = await startReceiver({ behaviour });
  open.push(receiver);
  return receiver;
}

/** A server that says this to whoever connects, as soon as it has heard something, and hangs up. */
async function saying(...bytes: readonly (string | Buffer)[]): Promise<{ readonly url: string }> {
  const onConnection = (socket: Socket): void =>
    void socket.once('data', () => {
      for (const part of bytes) socket.write(part);
      socket.end();
    });
  const server = await startTcpReceiver(onConnection);
  open.push(server);
  return { url: `http://127.0.0.1:${server.port}` };
}

/** What becomes of one attempt at a receiver. */
async function outcomeAt(url: string, settings: object = {}): Promise<DeliveryAnswer> {
  const endpoint = await tenant.endpoint({ url, retryDelaysMs: [], timeoutMs: 2000, ...settings });
  const { id } = await tenant.publish({ type: 'order.paid', data: {} });
  return eventually(
    async () => {
      const delivery = await tenant.delivery(id, endpoint.id);
      if (delivery.finishedAt === null) throw new Error(JSON.stringify(delivery));
      return delivery;
    },
    { timeoutMs: patienceMs, everyMs: 20, message: 'The delivery having ended' },
  );
}

describe('a receiver that', () => {
  it('hangs is a timeout', async () => {
    const { lastAttempt } = await outcomeAt((await behaving(hang())).url, { timeoutMs: 500 });
    expect(lastAttempt).toMatchObject({ outcome: 'timeout', status: null, response: null });
  });

  it.each([200, 500])('answers %d and then drips its body byte by byte is a timeout', async (status) => {
    const { url } = await behaving(drip({ status, everyMs: 1000 }));
    const { lastAttempt } = await outcomeAt(url, { timeoutMs: 1500 });
    expect(lastAttempt).toMatchObject({ outcome: 'timeout' });
    expect(lastAttempt?.durationMs).toBeLessThan(10_000);
  });

  it('drips its head byte by byte is a timeout', async () => {
    const server = await startTcpReceiver((socket) => {
      const head = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-filler: '.padEnd(1000, 'x');
      let at = 0;
      const timer = setInterval(() => socket.write(head.charAt(at++)), 100);
      socket.on('close', () => clearInterval(timer));
    });
    open.push(server);
    const { lastAttempt } = await outcomeAt(`http://127.0.0.1:${server.port}`, { timeoutMs: 1000 });
    expect(lastAttempt).toMatchObject({ outcome: 'timeout', status: null });
  });

  it('sends a gigabyte is judged by its status, and read no further than needed', async () => {
    const receiver = await behaving(flood(2 ** 30));
    const ended = await outcomeAt(receiver.url);
    expect(ended).toMatchObject({
      state: 'succeeded',
      lastAttempt: { outcome: 'success', status: 200, response: { truncated: true } },
    });
    expect(ended.lastAttempt?.response?.body.length).toBeLessThanOrEqual(4096);
    expect(ended.lastAttempt?.durationMs).toBeLessThan(2000);
  });

  it('sends a head without end is cut off', async () => {
    const line = `x-filler: ${'x'.repeat(8000)}\r\n`;
    const { url } = await saying('HTTP/1.1 200 OK\r\n', line.repeat(100));
    expect(await outcomeAt(url)).toMatchObject({ state: 'exhausted', lastAttempt: { outcome: 'too_large' } });
  });

  it.each<[string, Behaviour]>([
    ['closes without an answer', closeWithoutAnswer()],
    ['resets the connection', reset()],
  ])('%s is a reset connection', async (_, behaviour) => {
    const { lastAttempt } = await outcomeAt((await behaving(behaviour)).url);
    expect(lastAttempt).toMatchObject({ outcome: 'reset', status: null });
  });

  it('closes in the middle of its head is a reset connection', async () => {
    const { url } = await saying('HTTP/1.1 200 OK\r\ncontent-le');
    expect((await outcomeAt(url)).lastAttempt).toMatchObject({ outcome: 'reset', status: null });
  });

  it('closes in the middle of its body is judged by the status that it gave', async () => {
    const good = await outcomeAt((await behaving(breakBody(200))).url);
    expect(good).toMatchObject({ state: 'succeeded', lastAttempt: { outcome: 'success', status: 200 } });
    const bad = await outcomeAt((await behaving(breakBody(500))).url);
    expect(bad).toMatchObject({ state: 'exhausted', lastAttempt: { outcome: 'http_error', status: 500 } });
  });

  it('answers 200 with garbage has succeeded, and the garbage is kept as text', async () => {
    const garbage = Buffer.from([0xff, 0xfe, 0x00, 0x80, ...Buffer.from('<html>\u0000'), 0xc3, 0x28]);
    const { url } = await behaving(respond(200, { body: garbage, headers: { 'content-type': 'image/png' } }));
    const { state, lastAttempt } = await outcomeAt(url);
    expect(state).toBe('succeeded');
    expect(lastAttempt?.response?.body).toContain('<html>');
  });

  it.each<[string, string | Buffer]>([
    ['speaks another protocol', 'SSH-2.0-OpenSSH_9.2p1\r\n'],
    ['answers with random bytes', Buffer.from([0x16, 0x03, 0x01, 0xff, 0x00, 0x00, 0x0a, 0x0a])],
    ['answers with a broken status line', 'HTTP/1.1 okay then\r\n\r\n'],
    [
      'contradicts itself about its length',
      'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx',
    ],
  ])('%s is a protocol error', async (_, bytes) => {
    const { url } = await saying(bytes);
    expect((await outcomeAt(url)).lastAttempt).toMatchObject({ outcome: 'protocol' });
  });

  it('speaks plain HTTP where TLS was asked for, and one whose certificate nobody trusts, is told apart', async () => {
    const plain = await behaving(200);
    const { lastAttempt } = await outcomeAt(plain.url.replace('http:', 'https:'));
    expect(lastAttempt).toMatchObject({ outcome: 'tls', error: expect.stringMatching(/./) });
    const untrusted = await startReceiver({ tls: createTestAuthority().issue({ names: ['127.0.0.1'] }) });
    open.push(untrusted);
    expect((await outcomeAt(untrusted.url)).lastAttempt).toMatchObject({
      outcome: 'tls',
      error: 'The certificate is not signed by a trusted authority.',
    });
    expect(untrusted.requests).toHaveLength(0);
  });
});

describe('while receivers hang, drip and flood', () => {
  it("others' events keep arriving promptly", async () => {
    const bad = await Promise.all([hang(), drip({ everyMs: 1000 }), flood(2 ** 30, 500)].map(behaving));
    for (const { url } of bad) {
      // Five endpoints each, of this organisation and of others, as many in flight as they like.
      for (let n = 0; n < 5; n += 1) await tenant.endpoint({ url, timeoutMs: 60_000, maxInFlight: 100 });
    }
    const good = await behaving(204);
    await tenant.endpoint({ url: good.url });
    const neighbour = await createTenant(platform);
    await neighbour.endpoint({ url: good.url });
    const event = { type: 'order.paid', data: {} };
    await Promise.all(Array.from({ length: 100 }, () => tenant.publish(event)));
    await good.waitFor(100, patienceMs);

    const latencies: number[] = [];
    for (let n = 0; n < 20; n += 1) {
      const publishedAt = Date.now();
      const ids = [await tenant.publish(event), await neighbour.publish(event)].map(({ id }) => id);
      const requests = await good.waitFor(100 + 2 * (n + 1), patienceMs);
      for (const id of ids) {
        const request = requests.find(({ headers }) => headers['webhook-id'] === id);
        latencies.push((request?.receivedAt ?? Infinity) - publishedAt);
      }
    }
    const median = latencies.toSorted((a, b) => a - b)[latencies.length / 2] ?? Infinity;
    process.stdout.write(`median of the healthy beside the hanging: ${median} ms\n`);
    // Milliseconds on an idle machine; hanging receivers would make it seconds.
    expect(median).toBeLessThan(500);
  });
});
