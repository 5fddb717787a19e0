/** What befalls the four services, Kafka and MongoDB. */
import type { ServiceName } from '@posthorn/rpc';
import type { TestServer } from '@posthorn/stack';
import type { Fault } from './fault.ts';
import { receiverFaults } from './receiver-faults.ts';
import type { ServicesSubject } from './services.ts';
import { jumpForthAndBack } from './clock-jumps.ts';
import { randomMoment, sleep } from './subject.ts';

const slowMs = 150;
const slowSeconds = 20;
const fullSeconds = 10;

export const servicesFaults: readonly Fault<ServicesSubject>[] = [
  ...(['config', 'event-ingest', 'dispatcher', 'gateway'] as const).map(killsOf),
  {
    name: 'SIGSTOP of a dispatcher for longer than its leases, then SIGCONT',
    surroundings: 'plain',
    isInShortForm: true,
    async happen({ platform }, { suspendedSeconds, run }) {
      const dispatcher = platform.process('dispatcher', 1);
      dispatcher.suspend();
      await sleep(suspendedSeconds);
      dispatcher.resume();
      await run.untilDelivered(50);
    },
  },
  away('Kafka', ({ platform }) => platform.kafka),
  away('MongoDB', ({ platform }) => platform.mongodb),
  {
    name: 'Kafka and MongoDB are slow',
    surroundings: 'slow',
    isInShortForm: false,
    async happen({ proxies }) {
      for (const proxy of proxies) proxy.delay(slowMs);
      await sleep(slowSeconds);
      for (const proxy of proxies) proxy.delay(0);
    },
  },
  ...receiverFaults,
  {
    name: "Kafka's disk is full",
    surroundings: 'disk',
    isInShortForm: false,
    async happen({ platform, disk }) {
      disk?.fill(0);
      await sleep(fullSeconds);
      disk?.empty(0);
      // It ends by itself when it can't write, and whoever runs it starts it again.
      await platform.kafka.restart();
    },
  },
  {
    name: 'the wall clocks of all services jump forth and back by an hour',
    surroundings: 'clock',
    isInShortForm: false,
    happen: ({ clock }, { run }) => jumpForthAndBack(clock, run),
  },
];

function killsOf(service: ServiceName): Fault<ServicesSubject> {
  return {
    name: `kill -9 of ${service} processes at random moments`,
    surroundings: 'plain',
    isInShortForm: service === 'event-ingest' || service === 'dispatcher',
    async happen({ platform }, { kills }) {
      for (let kill = 0; kill < kills; kill += 1) {
        await randomMoment(0.2, 3);
        const one = platform.process(service, 1 + Math.floor(Math.random() * 2));
        await one.kill();
        await one.start();
      }
    },
  };
}

function away(what: string, serverOf: (subject: ServicesSubject) => TestServer): Fault<ServicesSubject> {
  return {
    name: `${what} is killed and away`,
    surroundings: 'plain',
    isInShortForm: true,
    async happen(subject, { awaySeconds }) {
      await serverOf(subject).kill();
      await sleep(awaySeconds);
      await serverOf(subject).restart();
    },
  };
}
