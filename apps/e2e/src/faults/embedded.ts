/** The embedded platform: one process, which is killed, suspended, robbed of its disk and of its time. */
import { preparePlatform, type PlatformProcess } from '../platform-process.ts';
import { mountSmallDisk, type SmallDisk } from '../small-disk.ts';
import { CannotBreakError, startNames, type Subject, type Surroundings } from './subject.ts';
import { createWallClock, type WallClock } from './wall-clock.ts';

export interface EmbeddedSubject extends Subject {
  readonly process: PlatformProcess;
  /** Only in surroundings of that name. */
  readonly clock: WallClock | null;
  /** Only in surroundings of that name. */
  readonly disk: SmallDisk | null;
}

export async function startEmbedded(surroundings: Surroundings): Promise<EmbeddedSubject> {
  const clock = surroundings === 'clock' ? createWallClock() : null;
  const disk = surroundings === 'disk' ? mountSmallDisk() : null;
  if (surroundings === 'disk' && disk === null) {
    throw new CannotBreakError('a small file system can be mounted by root only');
  }
  const names = await startNames();
  const platform = await preparePlatform({
    env: { POSTHORN_DNS_SERVERS: names.address, ...clock?.env },
    ...(disk !== null && { dataDir: disk.dataDir }),
  });
  await platform.start();
  return {
    process: platform,
    platform: { url: platform.url, urls: [platform.url], operatorKey: platform.operatorKey },
    clock,
    disk,
    names,
    async explain(work) {
      try {
        return await work();
      } catch (error) {
        process.stderr.write(`the last that the platform wrote:\n${platform.output().slice(-4000)}\n`);
        throw error;
      }
    },
    async dispose() {
      try {
        await platform.dispose();
      } finally {
        disk?.dispose();
        clock?.dispose();
        await names.close();
      }
    },
  };
}
