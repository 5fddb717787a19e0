/** What befalls the one process of the embedded platform. */
import { eventually } from '@posthorn/testing';
import { patienceMs } from '../tenant.ts';
import type { EmbeddedSubject } from './embedded.ts';
import type { Fault } from './fault.ts';
import { receiverFaults } from './receiver-faults.ts';
import { jumpForthAndBack } from './clock-jumps.ts';
import { randomMoment, sleep } from './subject.ts';

const fullSeconds = 10;

export const embeddedFaults: readonly Fault<EmbeddedSubject>[] = [
  {
    name: 'kill -9 at random moments',
    surroundings: 'plain',
    isInShortForm: true,
    async happen({ process: platform }, { kills }) {
      for (let kill = 0; kill < kills; kill += 1) {
        await randomMoment(0.2, 3);
        await platform.kill();
        await platform.start();
      }
    },
  },
  {
    name: 'SIGSTOP, then SIGCONT',
    surroundings: 'plain',
    isInShortForm: false,
    async happen({ process: platform }, { suspendedSeconds }) {
      process.kill(platform.pid ?? 0, 'SIGSTOP');
      await sleep(suspendedSeconds);
      process.kill(platform.pid ?? 0, 'SIGCONT');
    },
  },
  ...receiverFaults,
  {
    name: 'the disk is full',
    surroundings: 'disk',
    isInShortForm: false,
    async happen({ disk, process: platform }, { run }) {
      disk?.fill(platform.pid ?? 0);
      const refusals = (): number => [...run.load.refusals.values()].reduce((sum, times) => sum + times, 0);
      const before = refusals();
      await eventually(() => refusals() > before, {
        timeoutMs: patienceMs,
        message: 'A publish being refused',
      });
      await sleep(fullSeconds);
      disk?.empty(platform.pid ?? 0);
    },
  },
  {
    name: 'the wall clock jumps forth and back by an hour',
    surroundings: 'clock',
    isInShortForm: false,
    happen: ({ clock }, { run }) => jumpForthAndBack(clock, run),
  },
];
