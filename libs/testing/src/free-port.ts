/**
 * A port for a server that is killed and started again: it has to be free each time.
 *
 * Not one that the system picks (port 0): those are also what it gives to outgoing connections, so that while the server
 * is down a client on this machine might take it. These are below that range, on Linux and elsewhere.
 */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

const lowest = 15_000;
const highest = 32_000;
const attempts = 100;

/**
 * A port of 127.0.0.1 that nobody listens at now.
 *
 * @param taken ports that are meant for somebody who doesn't listen yet
 */
export async function freePort(...taken: readonly number[]): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const port = randomInt(lowest, highest);
    if (!taken.includes(port) && (await isFree(port))) return port;
  }
  throw new Error(`No free port found between ${lowest} and ${highest}`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** @throws Error that names the option to choose another one by, when somebody listens at the port */
export async function requireFreePort(port: number, option: string): Promise<void> {
  if (!(await isFree(port))) throw new Error(`Port ${port} is taken; choose another with ${option}`);
}
