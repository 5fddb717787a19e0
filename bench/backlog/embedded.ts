/** The standalone platform, on a directory that must be on a disk. */
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { launchPosthorn } from '../servers.ts';
import type { BacklogPlatform } from './backlog-platform.ts';
import { fillSqlite } from './fill-sqlite.ts';

export async function startEmbedded(directory: string): Promise<BacklogPlatform> {
  const file = join(directory, 'posthorn.db');
  const operatorKey = randomBytes(24).toString('hex');
  let { running, url } = await launchPosthorn({ directory, operatorKey });

  return {
    servers: {},
    deliveries: 1_000_000,
    operatorKey,
    get url() {
      return url;
    },
    cpuSeconds: () => running.cpuSeconds(),
    maxRssMib: () => running.maxRssMib(),
    async fill(deliveries) {
      await running.stop();
      const began = performance.now();
      fillSqlite(file, deliveries);
      const seconds = (performance.now() - began) / 1_000;
      ({ running, url } = await launchPosthorn({ directory, operatorKey }));
      return { seconds, mib: statSync(file).size / 2 ** 20 };
    },
    explain: (work) => work(),
  };
}
