import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '@posthorn/testing';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import { createRestClient } from './rest-client.ts';
import { patienceMs } from './tenant.ts';

/** How often the process is killed, and how long it lives in between: so long (ms), and until it has accepted so many. */
const kills = 5;
const lifeMs = 2000;
const lifeEvents = 400;
const publishers = 6;

let platform: PlatformProcess;
let receiver: Server;
/** How often each event reached the receiver. */
const received = new Map<string, number>();
let failing = false;

beforeAll(async () => {
  platform = await preparePlatform();
  receiver = createServer((req, res) => {
    req.resume().on('end', () => {
      const id = String(req.headers['webhook-id']);
      if (failing && Math.random() < 0.1) {
        res.statusCode = 500;
        res.end();
        return;
      }
      received.set(id, (received.get(id) ?? 0) + 1);
      res.end('ok');
    });
  });
  await new Promise<void>((listening) => receiver.listen(0, '127.0.0.1', listening));
});
afterAll(async () => {
  await platform.dispose();
  receiver.closeAllConnections();
  await new Promise((closed) => receiver.close(closed));
});

describe('a process that is killed every few seconds under load', () => {
  it('delivers every event that it accepted, and few of them twice', async () => {
    await platform.start();
    const { port } = receiver.address() as AddressInfo;
    const operator = createRestClient({ url: platform.url, key: platform.operatorKey });
    await operator.ok('POST', '/v1/organisations', { slug: 'acme', name: 'Acme' });
    const acme = operator.as({ organisation: 'acme' });
    await acme.ok('POST', '/v1/endpoints', {
      url: `http://127.0.0.1:${port}/`,
      retryDelaysMs: [100, 500, 1000, 2000, 5000, 5000, 5000, 5000],
    });
    failing = true;

    const accepted = new Set<string>();
    let publishing = true;
    let refused = 0;
    async function publish(): Promise<void> {
      for (let n = 0; publishing; n += 1) {
        try {
          const answer = await acme.call<{ id: string }>('POST', '/v1/events', {
            type: 'order.paid',
            data: { n, text: 'x'.repeat(500) },
          });
          if (answer.status === 202) accepted.add(answer.body.id);
          else refused += 1;
        } catch {
          // The process is dead at this moment: whoever published doesn't know, and isn't promised anything.
          refused += 1;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    }
    const running = Array.from({ length: publishers }, publish);
    for (let kill = 0; kill < kills; kill += 1) {
      const before = accepted.size;
      await new Promise((resolve) => setTimeout(resolve, lifeMs));
      // What comes twice is what was under way, of however few: on a busy machine, that would be a large share.
      await eventually(() => accepted.size >= before + lifeEvents, { timeoutMs: patienceMs });
      await platform.kill();
      await platform.start();
    }
    publishing = false;
    await Promise.all(running);
    failing = false;

    const missing = (): string[] => [...accepted].filter((id) => !received.has(id));
    await eventually(() => missing().length === 0, {
      timeoutMs: 60_000,
      everyMs: 100,
      message: `All of ${accepted.size} accepted events are delivered`,
    });
    const repeated = [...received.values()].reduce((sum, times) => sum + times - 1, 0);
    const share = (100 * repeated) / received.size;
    process.stdout.write(
      `kill -9 × ${kills}: ${accepted.size} accepted, ${received.size} delivered, 0 lost, ` +
        `${repeated} duplicates (${share.toFixed(2)} %), ${refused} publishes not answered\n`,
    );
    expect(accepted.size).toBeGreaterThan(100);
    expect(share).toBeLessThan(5);
  });
});
